"""Finds the addresses of a host: from /etc/hosts, or from the name servers, whose answers are kept for a while."""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from addon.origin.dns_answer import Answer
from addon.origin.errors import FailureKind, OriginFailure, shutdown_failure
from addon.origin.hosts_file import HostsFile
from addon.origin.lookup_slots import LookupSlots
from addon.origin.system_names import SystemNames

if TYPE_CHECKING:
    from addon.origin.name_servers import NameServers

MIN_TTL, MAX_TTL = 1.0, 300.0
"""Bounds of the seconds for which addresses are used without asking again."""

NOT_FOUND_TTL = 0.5
"""Seconds for which it is believed that a name does not exist: a router without a network says so of every name.

It is shorter than the time between two requests that try an origin again (reachability.py).
"""

STALE_FOR = 86_400.0
"""Seconds for which old addresses are used while no name server answers (RFC 8767 §5)."""

STALE_RECHECK = 30.0
"""Seconds after which the name servers are asked again if they failed and old addresses are used (RFC 8767 §5)."""

PATIENCE = 1.8
"""Seconds to wait for the name servers if there are old addresses (RFC 8767 §5)."""

MAX_NAMES = 1024
"""Number of names whose answers are kept."""

MAX_LOOKUPS = 256
"""Lookups at a time; each needs up to two sockets. Further ones wait, within their time."""

FAIR_SHARE = 0.5
"""Seconds that a lookup has while others wait. So names whose name servers are silent do not hold up the others."""

_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class _Known:
    """An answer, and how long it may be used, in seconds of the resolver's clock."""

    answer: Answer
    fresh_until: float
    stale_until: float


class Resolver:
    """Resolves host names. One lookup of a name is under way at a time; others wait for the same.

    A slow lookup delays no other one: the name servers are asked without threads.
    """

    def __init__(
        self,
        seconds: float,
        *,
        name_servers: NameServers | None = None,
        hosts_file: HostsFile | None = None,
        system_names: SystemNames | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create a resolver.

        Args:
            seconds: The longest time of a lookup.
            name_servers: By default those of the system.
            hosts_file: By default that of the system.
            system_names: By default the other sources of the system.
            clock: Returns seconds, those of suspend included; for the age of answers.
        """
        self._seconds = seconds
        self._given_name_servers = name_servers
        self._hosts_file = hosts_file or HostsFile()
        self._system_names = system_names or SystemNames()
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._lookups: dict[str, asyncio.Task[Answer]] = {}
        self._running: set[asyncio.Task[Answer]] = set()
        self._slots = LookupSlots(MAX_LOOKUPS)

    @cached_property
    def _name_servers(self) -> NameServers:
        from addon.origin.name_servers import NameServers  # slow to import; see addon/serve/late_imports.py

        return self._given_name_servers or NameServers()

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host, which may be a name or an address, the preferred ones first.

        Raises:
            OriginFailure: it has none, or the name servers did not say so within the time for a lookup.
        """
        name = host.lower()
        relative = name.removesuffix(".")
        if found := literal(host) or self._hosts_file.addresses(relative):
            return found
        if not all(0 < len(label) < 64 for label in relative.split(".")):  # RFC 1035 §2.3.4
            raise _failure(host, Answer(problem="it is not a valid name"))
        if relative == "localhost" or relative.endswith(".localhost"):  # RFC 6761 §6.3
            return _LOOPBACK
        answer = await self._answer(name)
        if not answer.addresses:
            raise _failure(host, answer)
        return answer.addresses

    def distrust(self, host: str) -> None:
        """Ask the name servers at the next request for this host: its present addresses did not work."""
        if known := self._known.get(host.lower()):
            self._known[host.lower()] = _Known(known.answer, -math.inf, known.stale_until)

    async def close(self) -> None:
        """End all lookups. Those who wait for them get a failure."""
        for lookup in self._running:
            lookup.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def _answer(self, name: str) -> Answer:
        if self._name_servers.changed():  # another network may have other answers
            self._known.clear()
            self._lookups.clear()
        known, now = self._known.get(name), self._clock()
        if known and now < known.fresh_until:
            return known.answer
        lookup = self._lookups.get(name) or self._begin(name)
        old = known.answer if known and now < known.stale_until else None
        # if this request is cancelled, the lookup goes on for the others
        await asyncio.wait([lookup], timeout=PATIENCE if old else None)
        if lookup.cancelled():
            raise shutdown_failure()
        if old and not (lookup.done() and lookup.result().is_final):
            return old
        return lookup.result()

    def _begin(self, name: str) -> asyncio.Task[Answer]:
        lookup = asyncio.create_task(self._look_up(name))
        self._lookups[name] = lookup
        self._running.add(lookup)
        lookup.add_done_callback(lambda done: self._finish(name, done))
        return lookup

    async def _look_up(self, name: str) -> Answer:
        end = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(end):
                await self._slots.acquire()
        except TimeoutError:
            return Answer(problem=f"{MAX_LOOKUPS} other names are being looked up", timed_out=True)
        try:
            async with self._slots.held(FAIR_SHARE):
                return await self._ask(name, end)
        except TimeoutError:
            problem = "no name server has answered yet, and other names are waiting"
            return Answer(problem=problem, timed_out=True)

    async def _ask(self, name: str, end: float) -> Answer:
        answer = await self._name_servers.ask(name, self._seconds)
        if answer.not_found:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(end):
                    if addresses := await self._system_names.addresses(name):
                        return Answer(addresses)
        return answer

    def _finish(self, name: str, lookup: asyncio.Task[Answer]) -> None:
        """Keep the answer, unless the name servers are others by now."""
        self._running.discard(lookup)
        if self._lookups.get(name) is not lookup:
            return
        del self._lookups[name]
        if lookup.cancelled() or lookup.exception():
            return
        answer, before, now = lookup.result(), self._known.pop(name, None), self._clock()
        if answer.addresses:
            ttl = min(max(answer.ttl, MIN_TTL), MAX_TTL)
            self._keep(name, _Known(answer, now + ttl, now + ttl + STALE_FOR))
        elif answer.not_found:
            self._keep(name, _Known(answer, now + NOT_FOUND_TTL, -math.inf))
        elif before and now < before.stale_until:
            self._keep(name, _Known(before.answer, now + STALE_RECHECK, before.stale_until))

    def _keep(self, name: str, known: _Known) -> None:
        if len(self._known) >= MAX_NAMES:
            del self._known[next(iter(self._known))]  # the one that was asked for longest ago
        self._known[name] = known


def literal(host: str) -> tuple[str, ...]:
    """Return the address that a host is, in any spelling that the system accepts (`0x7f.1`); nothing for a name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ()
    return (host if "%" in host else str(found[0][4][0]),)  # getaddrinfo removes the zone of an IPv6 address


def _failure(host: str, answer: Answer) -> OriginFailure:
    kind = FailureKind.DNS_TIMEOUT if answer.timed_out else FailureKind.DNS_ERROR
    parameters = (("rcode", answer.rcode),) if answer.rcode else ()  # RFC 9209 §2.3.2
    sentence = f"The name {host} could not be resolved: {answer.problem}"
    return OriginFailure(kind, sentence, disconnected=True, parameters=parameters)
