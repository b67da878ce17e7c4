"""The control commands that look into the proxy's own store: `entries`, `show`, `preview` and `contents`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import chain

from addon.pipeline.content_preview import preview_of
from addon.pipeline.explanation import stored_for
from addon.pipeline.pipeline import Pipeline
from addon.pipeline.stored_json import capture, listed, shown
from addon.pipeline.stored_list import State, Wanted, in_order, last_use
from addon.runtime.control import Handler
from cache.rules.key import key_of_uri
from cache.rules.mementos import current
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError
from cache.stores.listing import Order

type _Reply = dict[str, object]

MAX_LISTED = 1000
"""The most responses in one list."""

MAX_READ = 1000
"""Responses that are read for one list. It may end before enough are found: see `next`."""

MAX_COMPARED = 5000
"""Responses of a shared store of which a list is made: it has them in no order."""


class StoredCommands:
    """The commands, by the pipeline on the proxy's own store."""

    def __init__(self, own: Pipeline, clock: Callable[[], float]) -> None:
        """Look into the store of `own`; `clock` returns seconds since the epoch."""
        self._own = own
        self._clock = clock

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of the commands."""
        return {"contents": self._contents, "entries": self._entries, "preview": self._preview, "show": self._show}

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

    async def _preview(self, arguments: Mapping[str, object]) -> _Reply:
        """Return the beginning of a stored content, by the URL and the digest of the content."""
        url, digest = str(arguments.get("url")), str(arguments.get("sha256"))
        key, store = key_of_uri(url), self._own.store.sync_store

        def found() -> _Reply:
            for entry in stored_for(store, key, self._own.policy):
                if entry.sha256 == digest:
                    return asdict(preview_of(store, entry))
            raise ValueError(f"no content with the SHA-256 {digest} is stored for {url}")

        return await self._looked_up(found)

    async def _entries(self, arguments: Mapping[str, object]) -> _Reply:
        """Return a list of stored responses, and behind which place the next one begins, if there is another."""
        listing = _Listing(self._own, arguments, self._clock())
        try:
            entries = await self._own.store.run_in_slices(listing.found())
        except StoreError as error:
            raise ValueError(str(error)) from error
        return await self._looked_up(lambda: listing.reply(entries))

    async def _looked_up(self, look_up: Callable[[], _Reply]) -> _Reply:
        """Return the result of a look into the store, on a thread of its own. Raises ValueError if it fails."""
        try:
            return await self._own.store.run(look_up)
        except StoreError as error:
            raise ValueError(str(error)) from error


class _Listing:
    """One list."""

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
        self._order = Order(str(given("sort") or Order.URL))
        self._limit = min(int(str(given("limit") or MAX_LISTED)), MAX_LISTED)
        self._last = str(given("after") or "")
        """The place that was read last."""
        self._more = self._is_sample = False

    def found(self) -> Iterator[tuple[StoredResponse, ...]]:
        """Read place by place until the list is complete. Return those responses of each place that are wanted."""
        listing = self._store.listing(self._wanted.selection(self._order, self._last, MAX_COMPARED))
        self._is_sample = listing.is_sample
        number = read = 0
        for place in listing.found:
            if number >= self._limit or read >= MAX_READ:
                self._more = True
                return
            self._last = place.place
            read += max(1, len(place.entries))
            wanted = tuple(each for each in place.entries if self._is_wanted(each))
            number += len(wanted)
            yield wanted

    def _is_wanted(self, entry: StoredResponse) -> bool:
        return self._wanted.has(entry, self._store, self._policy, self._now)

    def reply(self, found: Iterable[tuple[StoredResponse, ...]]) -> _Reply:
        """Return the list of what was found."""
        store, policy, now = self._store, self._policy, self._now
        entries = in_order(list(chain.from_iterable(found)), self._order, policy, now)
        return {
            "entries": [listed(entry, last_use(store, entry), policy, now) for entry in entries],
            "next": self._last if self._more else None,
            "sample": self._is_sample,
        }


def _text(value: object) -> str | None:
    return None if value is None else str(value)
