"""The requests and responses of a conversation, in a form that is the same in every lane."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from cache.http.fields import imf_date
from cache.http.messages import Fields
from tests.lanes.script import Then


class BrokenFraming(AssertionError):
    """Raised for bytes that a strict HTTP receiver does not accept as a message."""


@dataclass(frozen=True)
class ClientRequest:
    """A request as a client sends it. Its target has no scheme and no authority."""

    method: str
    target: str
    fields: Fields
    body: bytes = b""


@dataclass(frozen=True)
class OriginRequest:
    """A request as the origin receives it."""

    method: str
    target: str
    fields: Fields
    body: bytes = b""


@dataclass(frozen=True)
class OriginResponse:
    """A response as the origin sends it, or the first part of one."""

    status: int
    reason: str
    fields: Fields
    body: bytes
    then: Then

    @property
    def chunked(self) -> bool:
        return self.fields.get("transfer-encoding") == "chunked"

    def to_bytes(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in self.fields), "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.framed(self.body, self.then)

    def framed(self, body: bytes, then: Then) -> bytes:
        """Return a part of the body with its framing. Behind the last part stands the end of the message."""
        if not self.chunked:
            return body
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return chunk if then else chunk + b"0\r\n\r\n"


@dataclass(frozen=True)
class ClientResponse:
    """A response as a client receives it, without its framing."""

    status: int
    """0 if the connection ended before a response."""
    reason: str | None
    """None over HTTP/2, which has no reason phrases."""
    fields: Fields
    body: bytes = b""
    cut: bool = False
    """The connection ended before the end of the response."""
    interim: tuple[int, ...] | None = None
    """Status codes of the interim responses before it, or None if the lane does not record them."""
    trailers: Fields | None = None
    """Trailer fields behind the content, or None if the lane does not record them."""


def fields_of(lines: tuple[str, ...]) -> Fields:
    """Return the fields of `Name: value` lines, without the `no Name` lines."""
    pairs = (line.partition(":") for line in lines if not line.startswith("no "))
    return Fields(tuple((name, value.strip()) for name, _, value in pairs))


def absent_names(lines: tuple[str, ...]) -> set[str]:
    """Return the lower-case names of the `no Name` lines."""
    return {line.removeprefix("no ").lower() for line in lines if line.startswith("no ")}


def origin_response(status: str, lines: tuple[str, ...], body: bytes, then: Then, now: float) -> OriginResponse:
    """Return a response of the origin. It gets Date and Content-Length, unless its lines give or exclude them."""
    code, _, reason = status.partition(" ")
    fields, left_out = fields_of(lines), absent_names(lines)
    framed = "content-length" in fields or "transfer-encoding" in fields or code in ("204", "304")
    if not framed and "content-length" not in left_out:
        fields = fields.appending(("Content-Length", str(len(body))))
    if "date" not in fields and "date" not in left_out:
        fields = Fields((("Date", imf_date(now)), *fields))
    return OriginResponse(int(code), reason or HTTPStatus(int(code)).phrase, fields, body, then)
