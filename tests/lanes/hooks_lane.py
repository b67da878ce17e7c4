"""The whole proxy over real sockets: the hooks in a lean mitmproxy, a strict client before it, an origin behind it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from typing import Literal

from tests.lanes.house import House, Street
from tests.lanes.http1_client import Http1Client
from tests.lanes.http2_client import Http2Client
from tests.lanes.messages import Asked, Heard
from tests.lanes.script import Conversation
from tests.lanes.scripted_origin import ScriptedOrigin
from tests.lanes.settings import interception_authority
from tests.lanes.socket_stage import SocketStage, origin_tls

PATIENCE = 5.0
"""Seconds until a connection that must end counts as one that does not."""

Protocol = Literal["http", "https", "http2"]


class HooksLane:
    """`http` in clear, `https` inside CONNECT, `http2` inside CONNECT too."""

    def __init__(self, street: Street, protocol: Protocol, name: str = "") -> None:
        self.name: str = name or protocol
        self._protocol: Protocol = protocol
        self._street = street

    @asynccontextmanager
    async def stage(self, conversation: Conversation) -> AsyncIterator[HooksStage]:
        house = await self._street.house(conversation)
        proxy = await self._street.proxy(house, door=self.name.startswith("door"))
        await house.begin()
        async with ScriptedOrigin(None if self._protocol == "http" else origin_tls()) as origin:
            stage = HooksStage(house, origin, proxy, self._protocol, door=self.name.startswith("door"))
            try:
                yield stage
            finally:
                await stage.close()


class HooksStage(SocketStage):
    def __init__(
        self, house: House, origin: ScriptedOrigin, proxy: tuple[str, int], protocol: Protocol, *, door: bool
    ) -> None:
        super().__init__(house, origin, "http" if protocol == "http" else "https")
        self._door = door
        self._proxy = proxy
        self._protocol = protocol
        self._clients: dict[str, Http1Client | Http2Client] = {}

    async def ask(self, client: str, asked: Asked) -> None:
        self.note(asked)
        if client not in self._clients:
            self._clients[client] = self._new_client()
        await self._clients[client].send(asked)

    async def heard(self, client: str) -> Heard:
        heard = await self._clients[client].receive()
        if not self._door:
            heard = replace(heard, interim=None, trailers=None)
        if heard.cut:
            await self._clients.pop(client).close()
        return heard

    async def leave(self, client: str) -> None:
        await self._clients.pop(client).leave()

    def _new_client(self) -> Http1Client | Http2Client:
        match self._protocol:
            case "http":
                return Http1Client(self._proxy, self.authority, None)
            case "https":
                return Http1Client(self._proxy, self.authority, client_tls("http/1.1"))
            case "http2":
                return Http2Client(self._proxy, self.authority, client_tls("h2"))

    async def close(self) -> None:
        async with asyncio.timeout(PATIENCE):
            for client in self._clients.values():
                await client.close()


@cache
def client_tls(protocol: str) -> ssl.SSLContext:
    """Return what a client expects who trusts the proxy's certificate authority and nobody else."""
    context = ssl.create_default_context(cafile=str(interception_authority()))
    context.set_alpn_protocols([protocol])
    return context
