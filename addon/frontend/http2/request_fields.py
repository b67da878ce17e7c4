"""The head of a request, from its decoded fields. What RFC 9113 §8 calls malformed is refused.

The result is a head as HTTP/1 has it, with the whole URL as its target, so that a target leads to the same request over
both protocols.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from addon.frontend.gateway.forwarding import Forwarding, view_prefix
from addon.frontend.http1.request_head import MAX_FIELDS, MalformedRequest, RequestHead
from addon.origin.http2.header_block import CONNECTION_FIELDS, Lines
from cache.http.field_table import imitates_framing
from cache.http.fields import TOKEN
from cache.http.messages import Fields

VERSION = "HTTP/2.0"

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
"""RFC 9113 §8.2.1: a token without capitals."""

_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
"""RFC 9113 §8.2.1: neither CR, LF or NUL, nor space at an end; and no other control character, as over HTTP/1."""

_METHOD = re.compile(TOKEN.pattern.encode())
_SCHEME = re.compile(rb"https?")
_PATH = re.compile(rb"/[\x21\x22\x24-\x7e\x80-\xff]*|\*")
_AUTHORITY = re.compile(rb"[\x21\x22\x24-\x2e\x30-\x3e\x40-\x7e\x80-\xff]+")
"""Any characters that do not end an authority: `request_target` reads it."""

_PSEUDO_FIELDS = {
    b":method": _METHOD,
    b":scheme": _SCHEME,
    b":path": _PATH,
    b":authority": _AUTHORITY,
    b":protocol": _METHOD,
}

_WEB_SOCKET = ("upgrade", "websocket")
"""The field by which a request for a WebSocket is known: an extended CONNECT is treated as the same GET of HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class Http2Head:
    """A request head that was checked."""

    key: str
    """Equal for two heads if, and only if, they are the same request on the same kind of connection."""
    head: RequestHead
    """The head of the request if no content follows."""
    length: int | None
    """The declared length of the content."""
    protocol: str | None = None
    """The protocol that an extended CONNECT asks for (RFC 8441 §4)."""
    size: int = 0
    """Bytes of its fields, with some added for each field beyond the usual number."""

    @property
    def asks_for_tunnel(self) -> bool:
        """Return whether the stream is to become a tunnel."""
        return self.protocol is not None or self.head.method == "CONNECT"

    def head_of(self, *, ended: bool) -> RequestHead:
        """Return the head of a request that ends with its head, or does not. Raises MalformedRequest."""
        if not ended:
            return replace(self.head, length=self.length)
        if self.length:
            raise MalformedRequest("The request declares content and has none.")  # RFC 9113 §8.1.1
        return self.head


def request_head(
    lines: Lines,
    prefix: bytes,
    max_line: int,
    *,
    secure: bool,
    forwarding: Forwarding | None = None,
    peer: str = "",
) -> Http2Head:
    """Return the head that these fields are.

    Args:
        lines: The decoded fields.
        prefix: The bytes that tell connections apart on which equal heads are different requests.
        max_line: Bytes that a field may have, as over HTTP/1.
        secure: The connection uses TLS.
        forwarding: Finds out who the client is, at an edge.
        peer: The address at the other end of the connection.

    Raises:
        MalformedRequest: the fields are not those of a request.
    """
    if len(lines) > MAX_FIELDS:
        raise MalformedRequest(f"The request has more than {MAX_FIELDS} field lines.", 431)
    pseudo = _pseudo_fields(lines, max_line)
    method, regular = pseudo.get(b":method", b""), lines[len(pseudo) :]
    fields = _fields(regular, max_line)
    authority = _authority(pseudo.get(b":authority"), fields)
    protocol = pseudo.pop(b":protocol", None)
    if protocol is not None:
        method, fields = _extended(method, protocol, fields)
    if method == b"CONNECT" and protocol is None:
        target = _connect_target(pseudo, authority)
    elif len(pseudo) < 3 + (b":authority" in pseudo):
        raise MalformedRequest("The request lacks :method, :scheme or :path.")  # RFC 9113 §8.3.1
    else:
        target = _target(method, pseudo[b":scheme"], authority, pseudo[b":path"], secure=secure)
    fields = Fields((("host", authority), *fields.without(["host"])))
    client = None
    if forwarding is not None:
        fields, client = forwarding.from_fields(fields, peer)
        prefix = view_prefix(client) + prefix
    head = RequestHead(method.decode("ascii"), target, fields, VERSION, client=client)
    text = "\n".join([f"{name}: {value}" for name, value in fields])
    key = f"{prefix.decode('latin-1')}{head.method} {target}\n{text}"
    return Http2Head(key, head, _declared_length(fields), protocol.decode("ascii").lower() if protocol else None)


def check_trailers(lines: Lines, max_line: int) -> None:
    """Raise MalformedRequest unless these fields may be a trailer section. They are dropped, as over HTTP/1."""
    if any(name.startswith(b":") for name, _ in lines):
        raise MalformedRequest("A trailer section has a pseudo-field.")  # RFC 9113 §8.1
    _fields(lines, max_line)


def _pseudo_fields(lines: Lines, max_line: int) -> dict[bytes, bytes]:
    """Return the pseudo-fields: all are in front, and none comes twice (RFC 9113 §8.3)."""
    found: dict[bytes, bytes] = {}
    for name, value in lines:
        if not name.startswith(b":"):
            break
        pattern = _PSEUDO_FIELDS.get(name)
        if pattern is None or name in found:
            raise MalformedRequest("The request has a pseudo-field twice, or one that requests do not have.")
        if len(value) > max_line:  # RFC 9112 §3
            raise MalformedRequest(f"The request target is longer than {max_line} bytes.", 414)
        if not pattern.fullmatch(value):
            raise MalformedRequest(f"The pseudo-field {name.decode('ascii')} is malformed.")
        found[name] = value
    return found


def _fields(lines: Lines, max_line: int) -> Fields:
    """Return the regular fields, with the lines of Cookie joined (RFC 9113 §8.2.3)."""
    found: list[tuple[str, str]] = []
    cookies: list[str] = []
    for raw_name, raw_value in lines:
        if len(raw_name) + len(raw_value) > max_line:  # RFC 6585 §5
            raise MalformedRequest(f"A field line of the request is longer than {max_line} bytes.", 431)
        if not _NAME.fullmatch(raw_name) or not _VALUE.fullmatch(raw_value):
            shown = raw_name[:40].decode("latin-1")
            raise MalformedRequest(f"The field line that begins with {shown!r} is malformed.")
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        if name in CONNECTION_FIELDS or (name == "te" and value.lower() != "trailers"):
            raise MalformedRequest(f"HTTP/2 has no field {name}: {value[:40]}.")  # RFC 9113 §8.2.2
        if imitates_framing(name):
            raise MalformedRequest(f"Some servers take the field {name} for one of framing.")
        if name == "cookie":
            cookies.append(value)
        else:
            found.append((name, value))
    if cookies:
        found.append(("cookie", "; ".join(cookies)))
    return Fields(tuple(found))


def _authority(given: bytes | None, fields: Fields) -> str:
    """Return the authority, which Host must not contradict (RFC 9113 §8.3.1)."""
    hosts = fields.all("host")
    named = given.decode("latin-1") if given is not None else None
    if len(hosts) > 1 or (hosts and named is not None and hosts[0].lower() != named.lower()):
        raise MalformedRequest("The request names two hosts.")
    authority = named or (hosts[0] if hosts else "")
    if not _AUTHORITY.fullmatch(authority.encode("latin-1")):
        raise MalformedRequest("The request names no host.")
    return authority


def _extended(method: bytes, protocol: bytes, fields: Fields) -> tuple[bytes, Fields]:
    """Return method and fields of the request that an extended CONNECT stands for (RFC 8441 §5)."""
    if method != b"CONNECT":
        raise MalformedRequest("Only a CONNECT has :protocol.")  # RFC 8441 §4
    if protocol.lower() != b"websocket":
        return method, fields
    return b"GET", fields.appending(_WEB_SOCKET)


def _connect_target(pseudo: dict[bytes, bytes], authority: str) -> str:
    if pseudo.keys() != {b":method", b":authority"}:
        raise MalformedRequest("A CONNECT has :method and :authority, and no other pseudo-field.")  # RFC 9113 §8.5
    return authority


def _target(method: bytes, scheme: bytes, authority: str, path: bytes, *, secure: bool) -> str:
    """Return the target in absolute form."""
    if secure and scheme != b"https":
        raise MalformedRequest("The scheme of a request inside TLS is https.")
    if path == b"*":
        if method != b"OPTIONS":
            raise MalformedRequest("Only OPTIONS has the target *.")  # RFC 9110 §7.1
        path = b""
    return f"{scheme.decode('ascii')}://{authority}{path.decode('latin-1')}"


def _declared_length(fields: Fields) -> int | None:
    lengths = fields.all("content-length")
    if not lengths:
        return None
    if len(lengths) > 1 or not (lengths[0].isascii() and lengths[0].isdigit() and len(lengths[0]) < 19):
        raise MalformedRequest("Content-Length is one number.")
    return int(lengths[0])
