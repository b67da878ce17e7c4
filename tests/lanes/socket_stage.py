"""What the lanes with a real origin have in common."""

from __future__ import annotations

import math
import ssl
from dataclasses import replace
from functools import cache
from typing import Literal

from cache.rules.key import key_of_uri, keys
from cache.rules.stored_response import StoredResponse
from tests.lanes.house import House
from tests.lanes.messages import Asked, Reply, Seen
from tests.lanes.script import Then
from tests.lanes.scripted_origin import ScriptedOrigin
from tests.lanes.settings import origin_authority


@cache
def origin_tls() -> ssl.SSLContext:
    """Return what an https origin shows."""
    return origin_authority().context("127.0.0.1")


class SocketStage:
    """A house, and an origin on a real socket. Whoever inherits this brings the clients."""

    def __init__(self, house: House, origin: ScriptedOrigin, scheme: str) -> None:
        self.time = house.time
        self.scheme = scheme
        self.authority = f"127.0.0.1:{origin.port}"
        self.instance = house.service.policy.identity.instance
        self._house = house
        self._origin = origin
        self._asked_for_reading = 0

    def note(self, asked: Asked) -> None:
        """Note that a client asks."""
        self._origin.recover()
        self._asked_for_reading += asked.method in ("GET", "HEAD")

    async def waits(self) -> None:
        await self._house.waited(self._asked_for_reading)

    @property
    def origin_is_asked(self) -> bool:
        return self._origin.asked

    async def seen(self) -> Seen:
        return await self._origin.seen()

    async def send(self, reply: Reply) -> None:
        await self._origin.send(reply)

    async def send_octets(self, octets: bytes, then: Then) -> None:
        await self._origin.send_octets(octets, then)

    async def go_on(self, body: bytes, then: Then) -> None:
        await self._origin.go_on(body, then)

    async def fail(self, how: Literal["closes", "resets", "silent"]) -> None:
        self._origin.fail(how)

    async def origin_goes(self) -> None:
        await self._origin.vanish()

    async def origin_returns(self) -> None:
        await self._origin.listen()

    async def purge(self, path: str) -> None:
        service = self._house.service
        named = keys(key_of_uri(f"{self.scheme}://{self.authority}{path}"), service.policy)
        await service.fetcher.purge(lambda other: other in named, lambda: sum(map(service.store.delete, named)))

    def go_offline(self) -> None:
        self._house.go_by(replace(self._house.policy, network=replace(self._house.policy.network, offline=True)))

    def lose_clock(self) -> None:
        self._house.go_by(
            replace(self._house.policy, freshness=replace(self._house.policy.freshness, clock_valid_from=math.inf))
        )

    async def counted(self, counter: str, by: int) -> None:
        await self._house.counted(counter, by)

    def stored(self) -> tuple[StoredResponse, ...]:
        return tuple(self._house.service.store.entries())
