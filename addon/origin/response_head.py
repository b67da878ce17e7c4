"""Parses the head of one response, and finds the framing of its body (RFC 9112 §4, §5, §6.3).

It refuses a head that cannot be read, or that two readers could end at different places. It accepts what is unusual but
has one meaning: more than one space in the status line, white space before a colon, control characters in a value.

A host in `origin.lenient` may also send what other proxies accept although it is dangerous: bare LF, folded lines, the
same Content-Length twice, Content-Length beside `chunked`, the transfer coding `identity`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from addon.origin.errors import FailureKind
from addon.origin.options import OriginOptions
from cache.http.field_table import FRAMING
from cache.http.fields import TOKEN, members, tokens
from cache.http.messages import Fields, Response
from cache.http.record import record

END_OF_HEAD = re.compile(rb"\n\r?\n")

# RFC 9112 §4: a recipient may parse a status line on word boundaries; §2.3: a higher minor version is read as 1.1
_STATUS_LINE = re.compile(r"HTTP/1\.([0-9])[ \t]+([1-9][0-9]{2})(?:[ \t]+([^\x00-\x08\x0a-\x1f\x7f]*))?", re.IGNORECASE)
# RFC 9112 §5.1: white space before the colon is removed; RFC 9110 §5.5: control characters may be kept, but not these
_FIELD_LINE = re.compile(rf"^({TOKEN.pattern})[ \t]*:([^\x00\r\n]*)\r\n", re.MULTILINE)
_BARE_LF = re.compile(r"(?<!\r)\n")
_FOLD = re.compile(r"(?<![ \t])[ \t]*\r\n[ \t]+")  # from the first space on, or long runs would take quadratic time
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


class MalformedResponse(Exception):
    """A response that is refused. The text completes the sentence `<origin> ...`."""

    def __init__(self, predicate: str, kind: FailureKind = FailureKind.HTTP_PROTOCOL_ERROR) -> None:
        super().__init__(predicate)
        self.kind = kind


@record
class ResponseHead:
    """A response head with the framing of its body. A body with neither length nor chunks ends with the connection."""

    response: Response
    persistent: bool
    """Another request may follow on the connection."""
    length: int | None = None
    """Bytes of the body."""
    chunked: bool = False
    read_leniently: bool = False
    """It was accepted only because of `origin.lenient`."""


@dataclass(slots=True)
class Leniency:
    """The leniency towards one response: allowed if its host is in `origin.lenient`, used if that was needed."""

    allowed: bool
    used: bool = False

    def require(self, mistake: str) -> None:
        """Note a mistake that only a lenient reader accepts. Raises MalformedResponse for any other reader."""
        if not self.allowed:
            raise MalformedResponse(f"{mistake}; the setting origin.lenient can allow that for this host")
        self.used = True


def parse_head(data: bytes, options: OriginOptions) -> ResponseHead:
    """Return the head that these bytes are, including the empty line at their end. Raises MalformedResponse."""
    leniency = Leniency(options.reads_leniently)
    text = data.decode("latin-1")
    if text.count("\n") != text.count("\r\n"):
        leniency.require("ended a line of its response head with a bare LF")
        text = _BARE_LF.sub("\r\n", text)
    first, _, section = text[:-2].partition("\r\n")
    line = _STATUS_LINE.fullmatch(first)
    if line is None:
        raise MalformedResponse("sent a malformed status line")
    fields = Fields(_field_lines(section, leniency, options))
    status = int(line[2])
    version = "HTTP/1.0" if line[1] == "0" else "HTTP/1.1"
    response = Response(status, (line[3] or "").rstrip(" \t"), fields, version)
    head = _framed(response, leniency) if status >= 200 else ResponseHead(response, persistent=True)
    # what was read leniently is the last response on its connection
    return replace(head, persistent=False, read_leniently=True) if leniency.used else head


def _field_lines(section: str, leniency: Leniency, options: OriginOptions) -> tuple[tuple[str, str], ...]:
    """Return the field lines of a header section. Raises MalformedResponse."""
    if section.startswith((" ", "\t")):
        raise MalformedResponse("sent white space before its first field line")  # RFC 9112 §2.2
    if "\r\n " in section or "\r\n\t" in section:
        leniency.require("folded a field line")
        section = _FOLD.sub(" ", section)  # RFC 9112 §5.2
    found = _FIELD_LINE.findall(section)
    if len(found) != section.count("\n"):
        raise MalformedResponse(_mistake_in(section))
    if len(section) > options.max_line and max(map(len, section.split("\r\n"))) > options.max_line:
        sentence = f"sent a field line above {options.max_line} bytes (limits.max_line)"
        raise MalformedResponse(sentence, FailureKind.HTTP_RESPONSE_HEADER_SIZE)
    if len(found) > options.max_fields:
        sentence = f"sent more than {options.max_fields} field lines"
        raise MalformedResponse(sentence, FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE)
    return tuple([(name, value.strip(" \t")) for name, value in found])


def _mistake_in(section: str) -> str:
    bad = next(line for line in section.split("\r\n") if not _FIELD_LINE.fullmatch(line + "\r\n"))
    name = bad.partition(":")[0][:40]
    if "\r" in bad or "\0" in bad:
        return f"sent a field line with a bare CR or NUL: it begins with {name!r}"
    return f"sent a malformed field line: it begins with {name!r}"


def _framed(response: Response, leniency: Leniency) -> ResponseHead:
    """Return a final response's head with the framing of its body (RFC 9112 §6.3). Raises MalformedResponse."""
    fields, version = response.fields, response.version
    options = {*tokens(fields.get("connection"))} if "connection" in fields else ()
    persistent = "close" not in options and (version == "HTTP/1.1" or "keep-alive" in options)  # RFC 9112 §9.3
    chunked = "transfer-encoding" in fields and _is_chunked(fields, version, leniency)
    if chunked and "content-length" in fields:
        leniency.require("sent Content-Length beside Transfer-Encoding")
    length = None if chunked else content_length(fields, leniency)
    if leniency.used:  # RFC 9112 §6.3: only the framing that counts is passed on
        fields = fields.without(FRAMING)
        fields = fields if length is None else fields.appending(("Content-Length", str(length)))
        response = replace(response, fields=fields)
    return ResponseHead(response, persistent, length, chunked)


def _is_chunked(fields: Fields, version: str, leniency: Leniency) -> bool:
    """Return whether the body is in chunks, by its Transfer-Encoding (RFC 9112 §6.1). Raises MalformedResponse."""
    codings = fields.get("transfer-encoding") or ""
    if codings.lower() == "chunked" and version == "HTTP/1.1":
        return True
    mistake = f"sent {version} with Transfer-Encoding: {codings}"
    real = [coding for coding in tokens(codings) if coding != "identity"]
    if real not in ([], ["chunked"]) or not codings:
        raise MalformedResponse(mistake)
    leniency.require(mistake)
    return bool(real)


def content_length(fields: Fields, leniency: Leniency) -> int | None:
    """Return the Content-Length, or None if there is none. Raises MalformedResponse."""
    value = fields.get("content-length")
    if value is None:
        return None
    if _LENGTH.fullmatch(value):
        return int(value)
    lengths = members(value)
    if len(lengths) < 2 or not _LENGTH.fullmatch(lengths[0]) or len(set(lengths)) > 1:
        raise MalformedResponse(f"sent a malformed Content-Length: {value[:40]!r}")
    leniency.require("sent Content-Length more than once")  # RFC 9110 §8.6
    return int(lengths[0])
