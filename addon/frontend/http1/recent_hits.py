"""Responses from the hot cache as recent exchanges: some requests a second, each with how often it was answered."""

from __future__ import annotations

import re
from collections.abc import Callable

from addon.frontend.http1.hot_cache import HotKey
from addon.frontend.http1.hot_response import HotResponse
from addon.runtime.recent_exchanges import MAX_URL, RecentExchange, RecentExchanges

MAX_LISTED = 50
"""Requests that are listed in a second."""

_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+)(?: HTTP/1\.[01]\r\n|\nhost: )")
"""The request line of HTTP/1, or the beginning of the text of a request over HTTP/2."""

_HOST = re.compile(r"[\r\n]host:[ \t]*([^\s]+)", re.IGNORECASE)


class RecentHits:
    """The hot responses that were sent in this second."""

    def __init__(self, recent: RecentExchanges) -> None:
        """Add them to `recent`."""
        self._recent = recent
        self._listed: list[tuple[HotResponse, float, str]] = []

    def note(self, hot: HotResponse, now: float, address: Callable[[], str]) -> None:
        """Note a hot response that is sent for the first time in this second."""
        if len(self._listed) < MAX_LISTED:
            self._listed.append((hot, now, address()))

    def report(self) -> None:
        """Add the hot responses of this second to the recent exchanges."""
        for hot, at, client in self._listed:
            hits = hot.hits
            method, url = request_of(hot.name, hits.scheme)
            exchange = RecentExchange(
                at,
                client,
                method=method,
                url=url[:MAX_URL],
                status=hits.status,
                size=hot.length,
                seconds=0.0,
                decision="hit",
                reason="",
                site=hits.site,
                times=hot.sent,
            )
            self._recent.add(exchange)
        self._listed.clear()


def request_of(name: HotKey, scheme: str) -> tuple[str, str]:
    """Return method and URL of the request whose hot response has a name in the hot cache."""
    text = name if isinstance(name, str) else name.decode("latin-1")
    found = _REQUEST_LINE.search(text)
    if found is None:
        return "", ""
    method, target = found.groups()
    if "://" in target.partition("?")[0]:
        return method, target
    host = _HOST.search(text, found.end(2))
    return method, f"{scheme}://{host[1] if host else ''}{target}"
