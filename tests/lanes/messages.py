"""What goes over the wire in a conversation, whichever way it is carried."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from cache.http.fields import imf_date
from cache.http.messages import Fields
from tests.lanes.script import Then


class BrokenFraming(AssertionError):
    """Octets that no strict receiver would take for a message."""


@dataclass(frozen=True)
class Asked:
    """A request as a client sends it: the target without scheme and authority."""

    method: str
    target: str
    fields: Fields
    body: bytes = b""


@dataclass(frozen=True)
class Seen:
    """A request as the origin received it."""

    method: str
    target: str
    fields: Fields
    body: bytes = b""


@dataclass(frozen=True)
class Heard:
    """A response as a client received it, framing removed."""

    status: int
    """0 where nothing came but the end."""
    reason: str | None
    """None over HTTP/2, which has no phrases."""
    fields: Fields
    body: bytes = b""
    cut: bool = False
    """It did not come to a clean end."""
    interim: tuple[int, ...] | None = None
    """The codes that came before it, or None where the lane has no place for them."""
    trailers: Fields | None = None
    """What came behind the content, or None where the lane has no place for it."""


@dataclass(frozen=True)
class Reply:
    """A response as the origin sends it, or the first part of one."""

    status: int
    reason: str
    fields: Fields
    body: bytes
    then: Then

    @property
    def chunked(self) -> bool:
        return self.fields.get("transfer-encoding") == "chunked"

    def octets(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {self.reason}", *(f"{name}: {value}" for name, value in self.fields), "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.framed(self.body, self.then)

    def framed(self, body: bytes, then: Then) -> bytes:
        """Return a part of the body, and the end of the message where it is the last."""
        if not self.chunked:
            return body
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return chunk if then else chunk + b"0\r\n\r\n"


def fields_of(lines: tuple[str, ...]) -> Fields:
    """Return the fields that `Name: value` lines give; `no Name` lines give none."""
    pairs = (line.partition(":") for line in lines if not line.startswith("no "))
    return Fields(tuple((name, value.strip()) for name, _, value in pairs))


def absent(lines: tuple[str, ...]) -> set[str]:
    """Return the lower-case names of `no Name` lines."""
    return {line.removeprefix("no ").lower() for line in lines if line.startswith("no ")}


def reply_of(status: str, lines: tuple[str, ...], body: bytes, then: Then, now: float) -> Reply:
    """Return what the origin sends: with Date and Content-Length, unless its lines say otherwise."""
    code, _, reason = status.partition(" ")
    fields, left_out = fields_of(lines), absent(lines)
    framed = "content-length" in fields or "transfer-encoding" in fields or code in ("204", "304")
    if not framed and "content-length" not in left_out:
        fields = fields.appending(("Content-Length", str(len(body))))
    if "date" not in fields and "date" not in left_out:
        fields = Fields((("Date", imf_date(now)), *fields))
    return Reply(int(code), reason or HTTPStatus(int(code)).phrase, fields, body, then)
