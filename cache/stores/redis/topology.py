"""Finds the servers of an engine: a single one, the primary that Sentinels name, or all primaries of a Cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from cache.stores.redis.address import EngineAddress, Place
from cache.stores.redis.connection import EngineError, Reply
from cache.stores.redis.dial import Dialer
from cache.stores.redis.keys import SLOTS, slot_of

_LIMIT = 2.0
"""Seconds in which a server must say which servers there are, with the connection to it."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The servers, and which of them has which slots."""

    ranges: tuple[tuple[int, int, Place], ...]
    """First and last slot, and the server that has them. A single server has all."""

    @property
    def places(self) -> frozenset[Place]:
        """All servers."""
        return frozenset(place for _, _, place in self.ranges)

    def place_of(self, name: str) -> Place | None:
        """Return the server that has a name; None if its slot has none now."""
        if len(self.ranges) == 1 and self.ranges[0][:2] == (0, SLOTS - 1):
            return self.ranges[0][2]
        slot = slot_of(name)
        return next((place for first, last, place in self.ranges if first <= slot <= last), None)


def single(place: Place) -> Topology:
    """Return the topology of a single server."""
    return Topology(((0, SLOTS - 1, place),))


async def find_topology(address: EngineAddress, dialer: Dialer, known: Iterable[Place] = ()) -> Topology:
    """Return the servers as they are now.

    Args:
        address: The engine.
        dialer: Connects to its servers.
        known: More servers to ask, if those in the address do not answer.

    Raises:
        EngineError: none of the servers could say.
    """
    problems = []
    for place in dict.fromkeys((*address.places, *(() if address.master else known))):
        try:
            async with asyncio.timeout(_LIMIT):
                if address.master:
                    return single(await _primary(place, address.master, dialer))
                return await _servers(place, dialer)
        except TimeoutError:
            problems.append(f"{place} does not answer")
        except EngineError as error:
            problems.append(str(error))
    raise EngineError("; ".join(dict.fromkeys(problems)))


async def _primary(sentinel: Place, master: str, dialer: Dialer) -> Place:
    connection, _ = await dialer.connect(sentinel, is_sentinel=True)
    try:
        found = await connection.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master)
    finally:
        connection.abort()
    if not isinstance(found, list) or len(found) != 2:
        raise EngineError(f"{sentinel} knows no primary server named {master}")
    host, port = found
    return Place(_text(host), int(_text(port)))


async def _servers(place: Place, dialer: Dialer) -> Topology:
    connection, told = await dialer.connect(place)
    try:
        if told.get("mode") == "sentinel":
            raise EngineError(f'{place} is a Sentinel: add "?master=NAME" to the URL')
        if told.get("mode") != "cluster":
            return single(place)
        return _slots(await connection.ask("CLUSTER", "SLOTS"), place)
    finally:
        connection.abort()


def _slots(reply: Reply, asked: Place) -> Topology:
    """Return the topology in a reply to CLUSTER SLOTS: ranges, each with its primary server first."""
    ranges = []
    for each in reply if isinstance(reply, list) else []:
        match each:
            case [int(first), int(last), [host, int(port), *_], *_]:
                # a server that does not know its own address names none: it is that which was asked
                ranges.append((first, last, Place(_text(host) or asked.host, port)))
    if not ranges:
        raise EngineError(f"{asked} has no slots of the Cluster yet")
    return Topology(tuple(sorted(ranges, key=lambda each: each[0])))


def _text(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
    return "" if text == "?" else text
