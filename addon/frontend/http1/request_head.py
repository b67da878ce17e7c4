"""A request head, parsed from bytes. A head that two parsers could read in two ways is refused.

A head is a request line and field lines, every line ended by CR LF, then an empty line. Nothing else passes: no bare
CR or LF, no folded line, no space before a colon, no control character, no second framing (RFC 9112 §2.2, §5, §6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from addon.frontend.gateway.gates import Refusal
from addon.frontend.set_up_page.page import SetUpPage
from addon.pipeline.error_replies import ErrorReplies
from addon.pipeline.reply import Reply
from addon.runtime.access_log.logged_response import UNPARSED_REQUEST, request_line
from cache.http.client import Client
from cache.http.field_table import imitates_framing
from cache.http.fields import HOST, TOKEN, tokens
from cache.http.messages import Fields, Request
from cache.http.record import record
from cache.policy.reasons import Refused
from cache.rules.selection import asks_for_web_socket

MAX_FIELDS = 200
"""Field lines."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\n"
"""The first bytes of a client of HTTP/2, which a parser of HTTP/1 takes for a head (RFC 9113 §3.4)."""

EMPTY_LINES = re.compile(rb"\A(?:\r\n)+")

_TOKEN = TOKEN.pattern.encode()
_VALUE = rb"[\t\x20-\x7e\x80-\xff]*"
_REQUEST_LINE = re.compile(rb"(%b) ([\x21\x22\x24-\x7e\x80-\xff]+) HTTP/1\.([01])" % _TOKEN)
_FIELD_LINE = re.compile(rb"(%b):(%b)\r\n" % (_TOKEN, _VALUE))
_FIELD_LINES = re.compile(rb"(?:%b:%b\r\n)*" % (_TOKEN, _VALUE))
_AUTHORITY = re.compile(rf"(?:{HOST})?(?::[0-9]*)?")


class MalformedRequest(Exception):
    """A request that cannot be trusted. The text is a sentence for the client.

    Attributes:
        status: The status of the response.
        reason: Its reason.
        error: Its error type (RFC 9209 §2.3).
        line: The request line for the access log.
    """

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status
        self.reason, self.error, self.line = Refused.MALFORMED_REQUEST, "http_request_error", UNPARSED_REQUEST

    def reply(self, errors: ErrorReplies) -> Reply:
        """Return the response to the request."""
        return errors.error(self.status, self.reason, str(self), self.error)


class SetUpPageRequest(MalformedRequest):
    """A well-formed request for the set-up page of this proxy."""

    def __init__(self, page: SetUpPage, head: RequestHead, path: str, authority: str | None = None) -> None:
        """Answer with `page`. The other arguments are as for `SetUpPage.reply`."""
        super().__init__("The set-up page of this proxy answers this request.", 200)
        self.reason = Refused.SET_UP_PAGE
        self.line = request_line(head.method, head.target, head.version)
        self._page, self._asked = page, (head.method, path, authority)

    def reply(self, errors: ErrorReplies) -> Reply:
        """Return the page, or the file that was asked for."""
        return self._page.reply(errors, *self._asked)


class RefusedRequest(MalformedRequest):
    """A well-formed request that an edge refuses: no site of it answers the request there, or a rule says so.

    Attributes:
        refusal: How it is refused.
        request: The request.
        head: Its head.
    """

    def __init__(self, refusal: Refusal, request: Request, head: RequestHead) -> None:
        super().__init__(refusal.sentence, refusal.status)
        self.refusal = refusal
        self.reason, self.error = refusal.reason, refusal.error
        self.request = request
        self.head = head
        self.line = request_line(head.method, head.target, head.version)

    def reply(self, errors: ErrorReplies) -> Reply:
        """Return the response, with the fields of the refusal."""
        return errors.error(self.status, self.reason, str(self), self.error, fields=self.refusal.fields)


@record
class RequestHead:
    """A request before its target is parsed."""

    method: str
    target: str
    """As received: a path, a whole URI, an authority, or `*`."""
    fields: Fields
    version: str
    length: int | None = 0
    """Bytes of content that follow; None for chunks."""
    client: Client | None = None
    """The client that has sent it, at an edge."""

    @property
    def has_content(self) -> bool:
        """Return whether content follows."""
        return self.length != 0

    @property
    def persistent(self) -> bool:
        """Return whether the client may send another request on this connection (RFC 9112 §9.3)."""
        return _is_persistent(self.fields, self.version)

    @property
    def asks_for_web_socket(self) -> bool:
        """Return whether the client asks for WebSocket; no other protocol is switched to (RFC 9110 §7.8).

        A request with another method or with content cannot ask for it (RFC 6455 §4.1).
        """
        fields = self.fields
        if "upgrade" not in fields or self.method != "GET" or self.has_content or self.version == "HTTP/1.0":
            return False
        return asks_for_web_socket(fields) and "upgrade" in tokens(fields.get("connection"))


@lru_cache(maxsize=512)
def _is_persistent(fields: Fields, version: str) -> bool:
    options = {*tokens(fields.get("connection")), *tokens(fields.get("proxy-connection"))}
    return "close" not in options if version == "HTTP/1.1" else "keep-alive" in options


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """The largest request head, in bytes."""

    head: int = 65_536
    line: int = 32_768
    """For each line, the request line included."""

    @property
    def least(self) -> int:
        """The size up to which no limit can be exceeded."""
        return min(self.head, self.line)


def end_of_head(data: bytes | bytearray, limits: HeadLimits) -> int:
    """Return where the first head in `data` ends, or 0 while it is not complete.

    Raises:
        MalformedRequest: it never will be, or is larger than allowed.
    """
    end = data.find(b"\r\n\r\n") + 4
    complete = end > 3
    if (end if complete else len(data)) > limits.least:
        _check_lengths(data[:end] if complete else data, limits, complete=complete)
    if not complete and _has_stray(data):
        raise MalformedRequest("A line of the request head does not end with CR LF.")
    return end if complete else 0


def _check_lengths(head: bytes | bytearray, limits: HeadLimits, *, complete: bool) -> None:
    """Raise MalformedRequest if a head, or the part of it that has arrived, is larger than allowed."""
    first, last = head.find(b"\r\n"), head.rfind(b"\r\n")
    if (first if first >= 0 else len(head)) > limits.line:  # RFC 9112 §3
        raise MalformedRequest(f"The request line is longer than {limits.line} bytes.", 414)
    # a head that arrives byte by byte is not split into lines as often
    longest = max(map(len, head[first:].split(b"\r\n"))) if complete else len(head) - last - 2
    if longest > limits.line:  # RFC 6585 §5
        raise MalformedRequest(f"A field line of the request is longer than {limits.line} bytes.", 431)
    if len(head) > limits.head:
        raise MalformedRequest(f"The request head is larger than {limits.head} bytes.", 431)


def parse(data: bytes, client: Client | None = None) -> RequestHead:
    """Return the head that these bytes of a client are, including the empty line at the end. Raises Malformed."""
    first, _, rest = data.partition(b"\r\n")
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        raise _fault(first, rest)
    method, target, minor = line.groups()
    version = "HTTP/1.1" if minor == b"1" else "HTTP/1.0"
    # lftp sends CONNECT without Host: the target is the authority, so no two readers can disagree about it
    needs_host = version == "HTTP/1.1" and method != b"CONNECT"
    fields, length = _section(rest, version, needs_host)
    return RequestHead(method.decode("ascii"), target.decode("latin-1"), fields, version, length, client=client)


@lru_cache(maxsize=512)
def _section(data: bytes, version: str, needs_host: bool) -> tuple[Fields, int | None]:
    """Return the fields and the length of the content; cached, since a client repeats them in most requests."""
    if _FIELD_LINES.fullmatch(data, 0, len(data) - 2) is None:
        raise _fault(b"", data)
    # stripping is linear; a pattern would try every space of a value as its end
    found = [(name, value.strip(b" \t")) for name, value in _FIELD_LINE.findall(data)]
    lines = [(name.decode("ascii"), value.decode("latin-1")) for name, value in found]
    if len(lines) > MAX_FIELDS:
        raise MalformedRequest(f"The request has more than {MAX_FIELDS} field lines.", 431)
    if imitation := next((name for name, _ in lines if imitates_framing(name)), None):
        raise MalformedRequest(f"Some servers take the field {imitation} for one of framing.")
    fields = Fields(tuple(lines))
    _check_host(fields, needs_host)
    return fields, _length(fields, version)


def _check_host(fields: Fields, needs_host: bool) -> None:
    hosts = fields.all("host")
    if len(hosts) != 1 and (hosts or needs_host):
        raise MalformedRequest("An HTTP/1.1 request has exactly one Host field.")  # RFC 9112 §3.2
    if hosts and not _AUTHORITY.fullmatch(hosts[0]):
        raise MalformedRequest("The Host field names no host.")


def _length(fields: Fields, version: str) -> int | None:
    """Return how many bytes of content follow, or None for chunks (RFC 9112 §6.3)."""
    lengths, codings = fields.all("content-length"), fields.get("transfer-encoding")
    if codings is not None:
        if lengths or version == "HTTP/1.0" or codings.lower() != "chunked":
            raise MalformedRequest("The content is framed in a way that could be read in two ways.")
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not (lengths[0].isascii() and lengths[0].isdigit() and len(lengths[0]) < 19):
        raise MalformedRequest("Content-Length is one number.")
    return int(lengths[0])


def _has_stray(data: bytes | bytearray) -> bool:
    """Return whether there is a CR or LF without the other one, or a NUL; a CR at the end may still get its LF."""
    # counted, since a head that arrives byte by byte is searched as often
    pairs = data.count(b"\r\n")
    returns = data.count(b"\r") - data.endswith(b"\r")
    return data.count(b"\n") != pairs or returns != pairs or b"\0" in data


def _fault(first: bytes, rest: bytes) -> MalformedRequest:
    """Return what is wrong with a malformed head."""
    if _has_stray(first) or _has_stray(rest):
        return MalformedRequest("A line of the request head has a bare CR or LF, or a NUL.")
    if first and not _REQUEST_LINE.fullmatch(first):
        return MalformedRequest(
            "The request line is not METHOD TARGET HTTP/1.1, or the target has a fragment or a space."
        )
    bad = next(line for line in rest.split(b"\r\n") if not _FIELD_LINES.fullmatch(line + b"\r\n"))
    name = bad.partition(b":")[0][:40].decode("latin-1")
    return MalformedRequest(f"The field line that begins with {name!r} is malformed.")
