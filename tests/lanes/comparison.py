"""A form of responses in which lanes can be compared: without fields that may differ, ports and times."""

from __future__ import annotations

import re

from cache.http.fields import http_date
from tests.lanes.messages import ClientResponse

ComparableResponse = tuple[int, tuple[tuple[str, str], ...], bytes, bool]
"""Status, fields (lower-case names, sorted by name), body, and whether the connection ended too early."""

MAY_DIFFER = frozenset({"date", "via", "transfer-encoding"})
"""Fields for the time of sending, the protocol versions, and the framing."""

_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_BOUNDARY = re.compile(r"part-of-[0-9a-f]{32}")
_DETAILS = re.compile(r'; details=".*"')


def comparable(response: ClientResponse, origin: str, start: float) -> ComparableResponse:
    """Return a response with dates relative to `start`, the beginning of the conversation."""

    def relative(date: re.Match[str]) -> str:
        return f"start{(http_date(date.group(), start) or 0) - start:+.0f}"

    def neutral(text: str) -> str:
        text = _BOUNDARY.sub("part-of-it", text)
        return _DATE.sub(relative, text.replace(origin, "{origin}").replace(origin.partition("//")[2], "{authority}"))

    of_mitmproxy = (response.fields.get("server") or "").startswith("mitmproxy")
    if of_mitmproxy or response.status == 400:
        return response.status, (), b"", response.cut  # each listener has its own text for a request that it refuses
    # the origin client chooses the full text for a network error, and the engine lane has no origin client
    generated = "proxy-status" in response.fields
    kept = [(name.lower(), neutral(value)) for name, value in response.fields if name.lower() not in MAY_DIFFER]
    fields = [(name, _DETAILS.sub("", value)) for name, value in kept if not (generated and name == "content-length")]
    body = b""
    if not generated and not response.cut:
        body = _BOUNDARY.sub("part-of-it", response.body.decode("latin-1")).encode("latin-1")
    return response.status, tuple(sorted(fields, key=lambda line: line[0])), body, response.cut
