"""The memory of a tiered store. It evicts by S3-FIFO, which has three queues (Yang et al., SOSP 2023).

A new key joins the small queue, a tenth of the memory. At its end, keys that were used again move to the main queue;
the others are evicted, and only their hashes are kept, in the ghost queue. A key that returns while its hash is there
joins the main queue at once. The main queue keeps keys as long as they are used. So a scan over many keys only
displaces the small queue.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

from cache.rules.stored_response import StoredResponse
from cache.stores.generations import Generations
from cache.stores.purge_scopes import names_of

_SMALL_SHARE = 10
_MAX_USES = 3
_USED_AGAIN = 2
"""Uses in the small queue after which a key moves to the main queue. The first one is the request that stored it."""

# Bytes that CPython's objects take, measured with tracemalloc
_COST_OF_KEY = 900
_COST_OF_ENTRY = 1300
_COST_OF_FIELD = 200
_COST_OF_BODY = 100

_NO_BODIES: Mapping[str, bytes] = MappingProxyType({})


class KeyState(NamedTuple):
    """The stored responses that memory has of a key, and the generation in which they were on the disk."""

    generation: int
    """The generation of its slot."""
    last_purge: int
    """The number of the last purge."""
    variants: tuple[StoredResponse, ...]
    """All entries under the key."""


class CachedKey:
    """The entries and bodies in memory of one primary key."""

    __slots__ = ("bodies", "cost", "key", "slot", "state", "unpurged", "uses")

    def __init__(self, key: str, slot: int, state: KeyState) -> None:
        self.key = key
        self.slot = slot
        self.state = state
        """One attribute, replaced as a whole: readers hold no lock."""
        self.unpurged: tuple[int, KeyState] | None = None
        """A later purge, and the state of which it is known that no purge up to that one covers it."""
        self.bodies: dict[str, bytes] = {}
        self.cost = 0
        self.uses = 0


class MemoryTier:
    """Keys in memory, at most `max_size` bytes including Python's overhead. Changes need the lock of the owner."""

    def __init__(self, max_size: int, pinned: Collection[str], generations: Generations) -> None:
        """Never evict a key while it is in `pinned`: it has changes that are only in memory."""
        self.max_size = max_size
        self.size = 0
        self._pinned = pinned
        self._generations = generations
        self._keys: dict[str, CachedKey] = {}
        self._small: OrderedDict[str, CachedKey] = OrderedDict()
        self._main: OrderedDict[str, CachedKey] = OrderedDict()
        self._ghosts: OrderedDict[int, None] = OrderedDict()
        self._small_size = 0
        self.get = self._keys.get

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._keys)

    def variants(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return all entries under a key, or None if memory does not have them. Needs no lock."""
        cached = self._keys.get(key)
        if cached is None:
            return () if self._generations.stable_value(self._generations.slot(key)) == 0 else None
        return cached.state.variants if self._is_current(cached) else None

    def body(self, entry: StoredResponse) -> bytes | None:
        """Return the body of an entry, or None if memory does not have it. Counts as a use. Needs no lock."""
        cached = self._keys.get(entry.key)
        if cached is None or not self._is_current(cached):
            return None
        if cached.uses < _MAX_USES:
            cached.uses += 1
        return cached.bodies.get(entry.id)

    def _is_current(self, cached: CachedKey) -> bool:
        state = cached.state
        generation, last_purge, variants = state
        now = self._generations.stable_value(cached.slot)
        if now != generation and not (now is None and cached.key in self._pinned):
            return False
        purges = self._generations.purges
        number = purges.number()
        unpurged = cached.unpurged
        if number == last_purge or (unpurged is not None and unpurged[0] == number and unpurged[1] is state):
            return True
        if number is None or purges.is_outdated(names_of(cached.key), last_purge, _tags_of(variants)):
            return False
        cached.unpurged = number, state
        return True

    def put_if_current(self, key: str, slot: int, state: KeyState) -> None:
        """Keep entries that were read, if the slot of their key still has the same generation."""
        if state.generation == self._generations.stable_value(slot) and key not in self._pinned:
            self.put(key, slot, state)

    def put(self, key: str, slot: int, state: KeyState, bodies: Mapping[str, bytes] = _NO_BODIES) -> CachedKey:
        """Keep the entries under a key, the bodies that memory has of them, and more `bodies` by entry id."""
        cached = self._keys.get(key)
        if cached is None:
            cached = self._keys[key] = CachedKey(key, slot, state)
            if self._ghosts.pop(hash(key), 0) is None:
                self._main[key] = cached
            else:
                self._small[key] = cached
        cached.state = state
        if cached.bodies:
            ids = {each.id for each in state.variants}
            cached.bodies = {each: body for each, body in cached.bodies.items() if each in ids}
        if bodies:
            cached.bodies = {**cached.bodies, **bodies} if cached.bodies else dict(bodies)
        self._account(cached)
        return cached

    def put_body(self, entry: StoredResponse, body: bytes) -> None:
        """Keep the body of an entry, if memory has the entry."""
        cached = self._keys.get(entry.key)
        if cached and any(each.id == entry.id for each in cached.state.variants):
            cached.bodies = {**cached.bodies, entry.id: body}
            self._account(cached)

    def drop(self, key: str) -> None:
        """Remove a key from memory."""
        if cached := self._keys.pop(key, None):
            self._set_cost(cached, 0)
            self._small.pop(key, None)
            self._main.pop(key, None)

    def clear(self) -> None:
        """Remove all keys from memory."""
        for key in list(self._keys):
            self.drop(key)

    def _account(self, cached: CachedKey) -> None:
        """Recompute the cost of a key, and evict others if too much memory is in use."""
        cost = _COST_OF_KEY + 2 * len(cached.key)
        for entry in cached.state.variants:
            cost += cost_of(entry)
        for body in cached.bodies.values():
            cost += len(body) + _COST_OF_BODY
        self._set_cost(cached, cost)
        # Bounded: if all keys are pinned, there is nothing to evict
        for _ in range(2 * _MAX_USES * len(self._keys)):
            if self.size <= self.max_size:
                return
            self._evict_one()

    def _set_cost(self, cached: CachedKey, cost: int) -> None:
        self.size += cost - cached.cost
        if cached.key in self._small:
            self._small_size += cost - cached.cost
        cached.cost = cost

    def _evict_one(self) -> None:
        """Take the first key of a queue, and evict it or move it to the end of the main queue."""
        if self._small and (self._small_size > self.max_size // _SMALL_SHARE or not self._main):
            key, cached = self._small.popitem(last=False)
            self._small_size -= cached.cost
            if cached.uses < _USED_AGAIN and key not in self._pinned:
                self._forget(cached)
                self._ghosts[hash(key)] = None
                if len(self._ghosts) > len(self._keys):
                    self._ghosts.popitem(last=False)
                return
            cached.uses = 0
        else:
            key, cached = self._main.popitem(last=False)
            if not cached.uses and key not in self._pinned:
                self._forget(cached)
                return
            cached.uses -= cached.uses > 0
        self._main[key] = cached

    def _forget(self, cached: CachedKey) -> None:
        del self._keys[cached.key]
        self.size -= cached.cost
        cached.cost = 0


def _tags_of(variants: tuple[StoredResponse, ...]) -> str:
    if len(variants) == 1:
        return variants[0].tags
    return "\n".join([entry.tags for entry in variants if entry.tags])


def cost_of(entry: StoredResponse) -> int:
    """Return about how many bytes an entry takes in memory, without its body."""
    text = len(entry.key) + len(entry.target) + len(entry.tags)
    for name, value in entry.head.fields.lines:
        text += len(name) + len(value)
    return _COST_OF_ENTRY + 2 * text + _COST_OF_FIELD * (len(entry.vary) + len(entry.head.fields.lines))
