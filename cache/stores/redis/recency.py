"""The last uses of entries, also of those in memory, which the engine does not see.

It is told of them now and then. Else it would evict what is used most, because it hears of that least.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event, Lock, Thread

from cache.rules.stored_response import StoredResponse
from cache.stores.redis.connection import Request
from cache.stores.redis.engine import Engine
from cache.stores.redis.shared_generations import SharedGenerations

INTERVAL = 10.0
"""Seconds between two messages to the engine."""
REMEMBERED = 100_000
"""Entries of which the names are remembered."""
_MAX_CHUNKS = 64
"""Names that are told of one entry. A larger body is never in memory, so the engine knows of each use."""


@dataclass(frozen=True, slots=True)
class Location:
    """The part of an entry from which its names in the engine follow. All else would fill memory without a limit."""

    key: str
    id: str
    length: int


class Recency:
    """The last uses of one store, by this process."""

    def __init__(
        self,
        engine: Engine,
        generations: SharedGenerations,
        names_of: Callable[[Location], list[str]],
        interval: float = INTERVAL,
    ) -> None:
        """Tell the engine of the names in which an entry is."""
        self._engine = engine
        self._generations = generations
        self._names_of = names_of
        self._interval = interval
        self._lock = Lock()
        self._locations: OrderedDict[str, Location] = OrderedDict()
        self._used: set[str] = set()
        self._stopped = Event()
        self._thread: Thread | None = None

    def know(self, entries: Iterable[StoredResponse]) -> None:
        """Remember where entries are."""
        with self._lock:
            for entry in entries:
                self._locations[entry.id] = Location(entry.key, entry.id, entry.length)
                self._locations.move_to_end(entry.id)
            while len(self._locations) > REMEMBERED:
                self._locations.popitem(last=False)

    def is_taken(self, entry: StoredResponse) -> bool:
        """Return whether the id of a new entry is known to be that of an entry under another key."""
        known = self._locations.get(entry.id)
        return known is not None and known.key != entry.key

    def note(self, entry_id: str) -> None:
        """Note that an entry was used just now."""
        self._generations.note_use(entry_id, time.time())
        self._used.add(entry_id)
        if self._thread is None:
            self._start()

    def last_use(self, entry: StoredResponse) -> float:
        """Return when an entry was stored or, by this process, used last, in seconds since the epoch."""
        return max(entry.stored_at, self._generations.last_use(entry.id, time.time()))

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._thread = Thread(target=self._run, name="store-recency", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            self.tell()

    def tell(self) -> None:
        """Tell the engine what was used since the last time. If it cannot be used, that is lost."""
        used, self._used = self._used, set()
        with self._lock:
            # a copy: a thread that has the set already may still add to it
            locations = [location for each in list(used) if (location := self._locations.get(each))]
        for location in locations:
            names = self._names_of(location)
            if len(names) <= _MAX_CHUNKS:
                self._engine.send(names[0], Request([("TOUCH", *names)]))

    def close(self) -> None:
        """Tell no more."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
