"""A resolver, and name servers that answer as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from addon.origin import OriginFailure
from addon.origin.dns_answer import Answer
from addon.origin.hosts_file import HostsFile
from addon.origin.name_servers import NameServers
from addon.origin.resolver import Resolver
from addon.origin.system_names import SystemNames
from tests.lanes.manual_clock import ManualClock

FOUND = Answer(("10.0.0.1",), 60)
OTHER = Answer(("10.0.0.2",), 60)
NOT_FOUND = Answer(problem="there is no such name", rcode="NXDOMAIN", not_found=True)
FAILED = Answer(problem="the name server answered SERVFAIL", rcode="SERVFAIL")
TIMED_OUT = Answer(problem="the name server did not answer", timed_out=True)


class FakeNameServers(NameServers):
    """Answers from `answers`. A name with a future is answered when that is."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Answer | asyncio.Future[Answer]] = {}
        self.asked: list[str] = []
        self.have_changed = False

    def changed(self) -> bool:
        changed, self.have_changed = self.have_changed, False
        return changed

    async def ask(self, name: str, seconds: float) -> Answer:
        self.asked.append(name)
        answer = self.answers[name]
        return await answer if isinstance(answer, asyncio.Future) else answer


class FakeSystemNames(SystemNames):
    def __init__(self, known: dict[str, tuple[str, ...]]) -> None:
        super().__init__()
        self.known = known

    async def addresses(self, name: str) -> tuple[str, ...]:
        return self.known.get(name, ())


class World:
    """A resolver, and everything that it asks."""

    def __init__(self, hosts: Path) -> None:
        self.clock = ManualClock()
        self.servers = FakeNameServers()
        self.system = FakeSystemNames({})
        self.hosts = hosts
        self.resolver = Resolver(
            60,
            name_servers=self.servers,
            hosts_file=HostsFile(hosts),
            system_names=self.system,
            clock=self.clock.now,
        )

    async def find(self, name: str = "a.test") -> str:
        """Return the addresses of a name, or the sentence of the failure."""
        try:
            return " ".join(await self.resolver.addresses(name))
        except OriginFailure as failure:
            return failure.detail


type Converse = Callable[[Callable[[World], Awaitable[None]]], None]
"""Runs a conversation with a world."""
