"""A whole connection of HTTP/1: any bytes lead to responses that another parser reads, and nothing else."""

from __future__ import annotations

from functools import cache

import httptools

from addon.frontend.http1.connection import Http1Connection
from addon.frontend.http1.request_target import ForwardProxyTargets
from tools.fuzz.front_end import FrontEnd
from tools.fuzz.pieces import splits
from tools.fuzz.targets.request_head import TOKENS as REQUEST_TOKENS

TOKENS = [
    *REQUEST_TOKENS,
    b"GET http://a.example/stored HTTP/1.1\r\nHost: a\r\n\r\n",
    b"Expect: 100-continue\r\n",
    b"0\r\n\r\n",
]


@cache
def front_end() -> FrontEnd:
    return FrontEnd()


def check(data: bytes) -> None:
    """Send bytes to a connection, whole and in halves."""
    for pieces in ([data], list(splits(data))[-1]):
        written = front_end().converse(lambda: Http1Connection(front_end().http1, ForwardProxyTargets()), pieces)
        opened_tunnel = written.startswith(b"HTTP/1.1 200 Connection established")
        # a parser of responses has to know which of them are for HEAD, and so have no content
        if b"PRI * HTTP/2.0" not in data and b"HEAD" not in data and not opened_tunnel:
            _check_responses(written)


class _Statuses:
    """Notes the status of each response."""

    def __init__(self) -> None:
        self.found: list[int] = []
        self.parser = httptools.HttpResponseParser(self)

    def on_headers_complete(self) -> None:
        self.found.append(self.parser.get_status_code())


def _check_responses(written: bytes) -> None:
    statuses = _Statuses()
    statuses.parser.feed_data(written)
    assert all(100 <= status < 600 for status in statuses.found)
    assert bool(statuses.found) == bool(written)
