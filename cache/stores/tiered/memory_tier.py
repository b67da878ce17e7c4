"""What a store on disk has in memory: S3-FIFO, three queues (Yang et al., SOSP 2023).

What comes in joins the small queue, a tenth of the size. What was used again by the time it reaches the end moves on to
the main queue; the rest goes, and only its name is remembered for a while: if it comes back, it joins the main queue at
once. There it goes round for as long as it is used. One sweep through many keys only ever fills the small queue.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from functools import lru_cache
from types import MappingProxyType

from cache.http.messages import Fields
from cache.rules.stored_response import StoredResponse
from cache.stores.generations import Generations

_SMALL_SHARE = 10
_MOST_USES = 3
_USED_AGAIN = 2
"""Uses in the small queue that show an interest which lasts: the first is that which brought it here."""

# Octets that CPython's objects take, as tracemalloc counts them
_COST_OF_KEY = 900
_COST_OF_ENTRY = 1300
_COST_OF_FIELD = 200
_COST_OF_BODY = 100

_NO_BODIES: Mapping[str, bytes] = MappingProxyType({})


class Held:
    """What is in memory of one primary key."""

    __slots__ = ("bodies", "cost", "key", "slot", "state", "uses")

    def __init__(self, key: str, slot: int) -> None:
        self.key = key
        self.slot = slot
        self.state: tuple[int, tuple[StoredResponse, ...]] = (-1, ())
        """The generation at which these were all there is under the key. Replaced as one, for whoever holds no lock."""
        self.bodies: dict[str, bytes] = {}
        self.cost = 0
        self.uses = 0


class MemoryTier:
    """At most `max_size` octets, Python's own included. What changes it needs the owner's lock."""

    def __init__(self, max_size: int, pinned: Collection[str], generations: Generations) -> None:
        """Never let go of the keys that are `pinned` at the time: nobody else knows them as they are here."""
        self.max_size = max_size
        self.size = 0
        self._pinned = pinned
        self._generations = generations
        self._held: dict[str, Held] = {}
        self._small: OrderedDict[str, Held] = OrderedDict()
        self._main: OrderedDict[str, Held] = OrderedDict()
        self._ghosts: OrderedDict[int, None] = OrderedDict()
        self._small_size = 0
        self.get = self._held.get

    def __len__(self) -> int:
        """Return how many keys are held."""
        return len(self._held)

    def variants(self, key: str) -> tuple[StoredResponse, ...] | None:
        """Return what is stored under a key, or None if that is not known here. Needs no lock."""
        held = self._held.get(key)
        if held is None:
            return () if self._generations.settled(self._generations.slot(key)) == 0 else None
        return held.state[1] if self._is_current(held) else None

    def body(self, entry: StoredResponse) -> bytes | None:
        """Return an entry's body if it is held, and note the use. Needs no lock."""
        held = self._held.get(entry.key)
        if held is None or not self._is_current(held):
            return None
        if held.uses < _MOST_USES:
            held.uses += 1
        return held.bodies.get(entry.id)

    def _is_current(self, held: Held) -> bool:
        now = self._generations.settled(held.slot)
        return now == held.state[0] or (now is None and held.key in self._pinned)

    def put_if_current(self, key: str, slot: int, generation: int, variants: tuple[StoredResponse, ...]) -> None:
        """Hold what was read while the slot had that generation, if it still has."""
        if generation == self._generations.settled(slot) and key not in self._pinned:
            self.put(key, slot, generation, variants)

    def put(
        self,
        key: str,
        slot: int,
        generation: int,
        variants: tuple[StoredResponse, ...],
        bodies: Mapping[str, bytes] = _NO_BODIES,
    ) -> Held:
        """Hold what is stored under a key, the bodies that were held of it, and further ones by entry id."""
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = Held(key, slot)
            if self._ghosts.pop(hash(key), 0) is None:
                self._main[key] = held
            else:
                self._small[key] = held
        held.state = (generation, variants)
        if held.bodies:
            ids = {each.id for each in variants}
            held.bodies = {each: body for each, body in held.bodies.items() if each in ids}
        if bodies:
            held.bodies = {**held.bodies, **bodies}
        self._account(held)
        return held

    def put_body(self, entry: StoredResponse, body: bytes) -> None:
        """Hold the body of an entry that is held."""
        held = self._held.get(entry.key)
        if held and any(each.id == entry.id for each in held.state[1]):
            held.bodies = {**held.bodies, entry.id: body}
            self._account(held)

    def drop(self, key: str) -> None:
        """Let go of a key."""
        if held := self._held.pop(key, None):
            self._cost(held, 0)
            self._small.pop(key, None)
            self._main.pop(key, None)

    def clear(self) -> None:
        """Let go of everything."""
        for key in list(self._held):
            self.drop(key)

    def _account(self, held: Held) -> None:
        cost = _COST_OF_KEY + 2 * len(held.key)
        for entry in held.state[1]:
            cost += cost_of(entry)
        for body in held.bodies.values():
            cost += len(body) + _COST_OF_BODY
        self._cost(held, cost)
        for _ in range(2 * _MOST_USES * len(self._held)):
            if self.size <= self.max_size:
                return
            self._evict_one()

    def _cost(self, held: Held, cost: int) -> None:
        self.size += cost - held.cost
        if held.key in self._small:
            self._small_size += cost - held.cost
        held.cost = cost

    def _evict_one(self) -> None:
        if self._small and (self._small_size > self.max_size // _SMALL_SHARE or not self._main):
            key, held = self._small.popitem(last=False)
            self._small_size -= held.cost
            if held.uses < _USED_AGAIN and key not in self._pinned:
                self._forget(held)
                self._ghosts[hash(key)] = None
                if len(self._ghosts) > len(self._held):
                    self._ghosts.popitem(last=False)
                return
            held.uses = 0
        else:
            key, held = self._main.popitem(last=False)
            if not held.uses and key not in self._pinned:
                self._forget(held)
                return
            held.uses -= held.uses > 0
        self._main[key] = held

    def _forget(self, held: Held) -> None:
        del self._held[held.key]
        self.size -= held.cost
        held.cost = 0


def cost_of(entry: StoredResponse) -> int:
    """Return about how many octets an entry takes in memory."""
    text = len(entry.key) + len(entry.target)
    return _COST_OF_ENTRY + 2 * text + _COST_OF_FIELD * len(entry.vary) + _cost_of_fields(entry.head.fields)


@lru_cache(maxsize=512)
def _cost_of_fields(fields: Fields) -> int:
    return sum([_COST_OF_FIELD + 2 * (len(name) + len(value)) for name, value in fields.lines])
