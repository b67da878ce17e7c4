"""Answers of different lanes, made comparable: less what may differ, and freed of ports and moments."""

from __future__ import annotations

import re

from cache.http.fields import http_date
from tests.lanes.messages import Heard

Told = tuple[int, tuple[tuple[str, str], ...], bytes, bool]
"""Code, fields in lower case and sorted by name, body, and whether it was cut."""

MAY_DIFFER = frozenset({"date", "via", "transfer-encoding"})
"""When it was sent, over which versions, and how it is framed."""

_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_BOUNDARY = re.compile(r"part-of-[0-9a-f]{32}")
_DETAILS = re.compile(r'; details=".*"')


def told(heard: Heard, origin: str, start: float) -> Told:
    """Return what a client heard, dates relative to the `start` of the conversation."""

    def moment(date: re.Match[str]) -> str:
        return f"start{(http_date(date.group(), start) or 0) - start:+.0f}"

    def neutral(text: str) -> str:
        text = _BOUNDARY.sub("part-of-it", text)
        return _DATE.sub(moment, text.replace(origin, "{origin}").replace(origin.partition("//")[2], "{authority}"))

    mitmproxy = (heard.fields.get("server") or "").startswith("mitmproxy")
    if mitmproxy or heard.status == 400:
        return heard.status, (), b"", heard.cut  # who stands at the border says it in words of his own
    # what a failure of the network is called in full is the origin client's business
    ours = "proxy-status" in heard.fields
    kept = [(name.lower(), neutral(value)) for name, value in heard.fields if name.lower() not in MAY_DIFFER]
    fields = [(name, _DETAILS.sub("", value)) for name, value in kept if not (ours and name == "content-length")]
    body = b"" if ours or heard.cut else _BOUNDARY.sub("part-of-it", heard.body.decode("latin-1")).encode("latin-1")
    return heard.status, tuple(sorted(fields, key=lambda line: line[0])), body, heard.cut
