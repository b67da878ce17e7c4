"""Simulates nodes with memory in front of one shared store, request by request.

Objects are asked for by Zipf's law: the one of rank k in proportion to 1/k^skew. The memory of a node evicts the least
recently used object. Changes of one node end what the others have in memory, as the engine's news do.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections import OrderedDict
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class World:
    """The nodes, their objects and their requests."""

    nodes: int
    objects: int
    memory: int
    """Objects that the memory of one node holds."""
    rate: float
    """Requests a second, over all nodes."""
    lifetime: float
    """Seconds that an object is fresh."""
    skew: float = 0.9
    """The exponent of Zipf's law."""
    purges: float = 0.0
    """Objects that are purged, a second."""
    is_shared: bool = True
    """The nodes have a shared store; else each has only its memory."""


@dataclass(frozen=True)
class Outcome:
    """The shares of requests, and the work of the engine."""

    memory_hits: float
    shared_hits: float
    misses: float
    reads: float
    """Requests of nodes to the engine, a second."""
    pushes: float
    """News of changes that the engine sends, a second."""


def simulate(world: World, requests: int, seed: int = 1) -> Outcome:
    """Return what happens to so many requests, after as many that only fill the stores."""
    run = _Run(world, random.Random(seed))
    for _ in range(requests):
        run.step()
    run.counts = dict.fromkeys(run.counts, 0)
    for _ in range(requests):
        run.step()
    seconds, counts = requests / world.rate, run.counts
    return Outcome(
        memory_hits=counts["memory"] / requests,
        shared_hits=counts["shared"] / requests,
        misses=counts["miss"] / requests,
        reads=(counts["shared"] + counts["miss"]) / seconds if world.is_shared else 0.0,
        pushes=counts["push"] / seconds,
    )


class _Run:
    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._weights = list(accumulate(1 / rank**world.skew for rank in range(1, world.objects + 1)))
        self._memories: list[OrderedDict[int, float]] = [OrderedDict() for _ in range(world.nodes)]
        """For each node, the ends of the lifetimes of what is in its memory, least recently used first."""
        self._shared: dict[int, float] = {}
        self._now = 0.0
        self.counts = dict.fromkeys(("memory", "shared", "miss", "push"), 0)

    def step(self) -> None:
        """Let one request happen."""
        world = self._world
        self._now += 1 / world.rate
        if self._chance.random() < world.purges / world.rate:
            self._change(self._chance.randrange(world.objects), None)
        wanted = bisect(self._weights, self._chance.random() * self._weights[-1])
        node = self._chance.randrange(world.nodes)
        memory = self._memories[node]
        if memory.get(wanted, 0) > self._now:
            memory.move_to_end(wanted)
            self.counts["memory"] += 1
            return
        end = self._shared.get(wanted, 0) if world.is_shared else 0
        if end > self._now:
            self.counts["shared"] += 1
        else:
            self.counts["miss"] += 1
            end = self._now + world.lifetime
            self._change(wanted, node)
            self._shared[wanted] = end
        memory[wanted] = end
        memory.move_to_end(wanted)
        if len(memory) > world.memory:
            memory.popitem(last=False)

    def _change(self, changed: int, by: int | None) -> None:
        """End what other nodes have in memory of an object."""
        self._shared.pop(changed, None)
        if not self._world.is_shared and by is not None:
            return
        for number, memory in enumerate(self._memories):
            if number != by:
                memory.pop(changed, None)
                self.counts["push"] += 1
