"""The common part of all lanes with a real origin."""

from __future__ import annotations

import math
import ssl
from dataclasses import replace
from functools import cache
from typing import Literal

from cache.rules.key import key_of_uri, keys
from cache.rules.stored_response import StoredResponse
from cache.stores.purge_scopes import Scope, url_name
from tests.lanes.messages import ClientRequest, OriginRequest, OriginResponse
from tests.lanes.script import Then
from tests.lanes.scripted_origin import ScriptedOrigin
from tests.lanes.services import ServiceUnderTest
from tests.lanes.settings import origin_ca


@cache
def origin_tls() -> ssl.SSLContext:
    """Return the TLS context of https origins."""
    return origin_ca().server_context("127.0.0.1")


class ServiceWithOrigin:
    """A service under test, and an origin on a real socket. Subclasses add the clients."""

    def __init__(self, service: ServiceUnderTest, origin: ScriptedOrigin, scheme: str) -> None:
        self.clock = service.clock
        self.scheme = scheme
        self.authority = f"127.0.0.1:{origin.port}"
        self.instance = service.service.policy.identity.instance
        self._service = service
        self._origin = origin
        self._lookups = 0

    def note_request(self, request: ClientRequest) -> None:
        """Make the origin stop failing, and count the request if it looks into the store."""
        self._origin.recover()
        self._lookups += request.method in ("GET", "HEAD")

    async def settle(self) -> None:
        await self._service.wait_for_lookups(self._lookups)

    @property
    def origin_has_request(self) -> bool:
        return self._origin.has_request

    async def next_origin_request(self) -> OriginRequest:
        return await self._origin.next_request()

    async def respond(self, response: OriginResponse) -> None:
        await self._origin.respond(response)

    async def respond_with_bytes(self, data: bytes, then: Then) -> None:
        await self._origin.respond_with_bytes(data, then)

    async def continue_response(self, body: bytes, then: Then) -> None:
        await self._origin.continue_response(body, then)

    async def fail(self, how: Literal["closes", "resets", "silent"]) -> None:
        self._origin.fail(how)

    async def stop_origin(self) -> None:
        await self._origin.stop()

    async def restart_origin(self) -> None:
        await self._origin.start()

    async def purge(self, path: str, *, soft: bool) -> None:
        service = self._service.service
        purged = keys(key_of_uri(f"{self.scheme}://{self.authority}{path}"), service.policy)
        await service.active.own.purge([Scope(url_name(key), soft) for key in purged])

    def go_offline(self) -> None:
        policy = self._service.policy
        self._service.use_policy(replace(policy, network=replace(policy.network, offline=True)))

    def follow_clock(self) -> None:
        follower = self._service.service.clock_follower
        assert follower
        follower.follow()

    def invalidate_clock(self) -> None:
        policy = self._service.policy
        self._service.use_policy(replace(policy, freshness=replace(policy.freshness, clock_valid_from=math.inf)))

    async def wait_for_count(self, counter: str, by: int) -> None:
        await self._service.wait_for_count(counter, by)

    def stored(self) -> tuple[StoredResponse, ...]:
        return tuple(self._service.service.store.entries())
