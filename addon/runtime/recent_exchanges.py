"""The latest exchanges with clients, in memory, for the admin API.

Responses from the hot cache are too many and too quick for a line each: those of one second to the same request are one
exchange, whose `times` says how many they were, and only some of the requests of a second are listed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice

from addon.runtime.access_log.logged_response import LoggedResponse, Sending
from cache.http.record import record

MAX_KEPT = 1000
"""Exchanges that are kept, the latest ones."""

MAX_URL = 2048
"""Characters of a URL that are kept."""


@record
class RecentExchange:
    """One exchange, or equal ones within a second."""

    at: float
    """The time at which the response was sent, in seconds since the epoch."""
    client: str
    """The client's address."""
    method: str
    """Empty, as the URL, if the request could not be understood."""
    url: str
    """The URL; of a tunnel, host and port."""
    status: int
    size: int
    """Bytes of content."""
    seconds: float
    """The time from the request to the end of the response."""
    decision: str
    reason: str
    site: str
    """The name of the site of an edge."""
    times: int = 1


class RecentExchanges:
    """The latest exchanges of this process. They have numbers from 1, in the order in which they ended."""

    def __init__(self) -> None:
        self._kept: deque[RecentExchange] = deque(maxlen=MAX_KEPT)
        self._number = 0
        """The number of the latest exchange."""

    def add(self, exchange: RecentExchange) -> None:
        """Keep an exchange in place of the oldest one."""
        self._kept.append(exchange)
        self._number += 1

    def note(self, response: LoggedResponse, sending: Sending, site: str = "") -> None:
        """Keep a response that was sent. `site` is the site of it."""
        request = response.request
        if request is not None:
            method, url = request.method, request.uri
        else:
            method, _, rest = response.line.partition(" ")
            url = rest.rpartition(" ")[0]
        self.add(
            RecentExchange(
                sending.at,
                sending.client,
                method=method,
                url=url[:MAX_URL],
                status=response.status,
                size=response.size,
                seconds=sending.seconds,
                decision=response.decision,
                reason=response.reason,
                site=site,
            )
        )

    async def handle(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Handle the control command `exchanges`: return the exchanges after a number, the oldest first.

        `after` has a number for each process id, since the exchanges of several processes are put together; without
        one for this process, all that are kept are returned. `last` has the numbers for the next time.
        """
        after, own = arguments.get("after"), str(os.getpid())
        seen = after.get(own) if isinstance(after, dict) else None
        missed = len(self._kept) if seen is None else max(0, self._number - int(str(seen)))
        found = islice(self._kept, max(0, len(self._kept) - missed), None)
        lost = 0 if seen is None else max(0, missed - len(self._kept))
        return {"exchanges": [asdict(each) for each in found], "lost": lost, "last": {own: self._number}}
