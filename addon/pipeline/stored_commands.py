"""The control commands that look into the proxy's own store: `entries`, `show` and `contents`."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import count, islice

from addon.pipeline.explanation import stored_for
from addon.pipeline.pipeline import Pipeline
from addon.pipeline.stored_json import capture, listed, shown
from addon.pipeline.stored_list import Order, State, Wanted, last_use, ranking
from addon.runtime.control import Handler
from cache.rules.key import key_of_uri
from cache.rules.mementos import current
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError

type _Reply = dict[str, object]

MAX_LISTED = 1000
"""The most responses in one list."""

SLICE = 25
"""Responses that are read at a time; between two slices, requests of clients go on."""

MAX_READ = 5000
"""Responses that are read for one list in the order of URLs. It may end before enough are found: see `next`."""


class StoredCommands:
    """The commands, by the pipeline on the proxy's own store."""

    def __init__(self, own: Pipeline, clock: Callable[[], float]) -> None:
        """Look into the store of `own`; `clock` returns seconds since the epoch."""
        self._own = own
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of the commands."""
        return {"contents": self._contents, "entries": self._entries, "show": self._show}

    async def _contents(self, _arguments: Mapping[str, object]) -> _Reply:
        """Return number and size of what is stored."""
        return await self._looked_up(lambda: asdict(self._own.store.sync_store.statistics()))

    async def _show(self, arguments: Mapping[str, object]) -> _Reply:
        """Return the stored responses for a URL: those that are used now in full, and all states in short."""
        key, policy, now = key_of_uri(str(arguments.get("url"))), self._own.policy, self._clock()

        def found() -> _Reply:
            captures = stored_for(self._own.store.sync_store, key, policy)
            variants = current(captures)
            latest_first = sorted(captures, key=lambda entry: entry.stored_at, reverse=True)
            return {
                "variants": [shown(entry, policy, now) for entry in variants],
                "captures": [{**capture(entry), "current": entry in variants} for entry in latest_first],
            }

        return await self._looked_up(found)

    async def _entries(self, arguments: Mapping[str, object]) -> _Reply:
        """Return a list of stored responses, and after which URL the next one begins, if there is another."""
        listing = _Listing(self._own, arguments, self._clock())
        while (reply := await self._looked_up(listing.read_on)) == {}:
            pass
        return reply

    async def _looked_up(self, look_up: Callable[[], _Reply]) -> _Reply:
        """Return the result of a look into the store, on a thread of its own. Raises ValueError if it fails."""
        try:
            return await self._own.store.run(look_up)
        except StoreError as error:
            raise ValueError(str(error)) from error


class _Listing:
    """One list, which is made slice by slice."""

    def __init__(self, own: Pipeline, arguments: Mapping[str, object], now: float) -> None:
        given = arguments.get
        self._store, self._policy, self._now = own.store.sync_store, own.policy, now
        self._wanted = Wanted(
            pattern=_text(given("pattern")),
            host=_text(given("host")),
            state=State(str(given("state"))) if given("state") else None,
            tag=_text(given("tag")),
            never_used=given("never_used") is True,
        )
        self._rank = ranking(Order(str(given("sort") or Order.URL)), self._store, own.policy, now)
        self._limit = min(int(str(given("limit") or MAX_LISTED)), MAX_LISTED)
        self._last = str(given("after") or "")
        """The URL of which the last entry was read."""
        self._entries = self._store.entries(self._last)
        self._read = count()
        self._ranked: list[tuple[float, int, StoredResponse]] = []

    def read_on(self) -> _Reply:
        """Read a slice. Return the list when it is complete, and nothing before."""
        entries = list(islice(self._entries, SLICE))
        for entry in entries:
            number = next(self._read)
            if self._rank is None and entry.key != self._last and (self._is_full or number >= MAX_READ):
                return self._reply(more=True)  # the variants of a URL stay together
            self._last = entry.key
            if self._wanted.has(entry, self._store, self._policy, self._now):
                self._ranked.append((self._rank(entry) if self._rank else 0.0, number, entry))
        if self._rank is not None:
            self._ranked = heapq.nsmallest(self._limit, self._ranked)
        return {} if entries else self._reply(more=False)

    @property
    def _is_full(self) -> bool:
        return len(self._ranked) >= self._limit

    def _reply(self, *, more: bool) -> _Reply:
        store, policy, now = self._store, self._policy, self._now
        entries = [listed(entry, last_use(store, entry), policy, now) for _, _, entry in self._ranked]
        return {"entries": entries, "next": self._last if more else None}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
