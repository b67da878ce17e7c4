"""The lanes of the whole proxy over real sockets, with strict clients."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from typing import Literal

from tests.lanes.http1_client import Http1Client
from tests.lanes.http2_client import Http2Client
from tests.lanes.messages import ClientRequest, ClientResponse
from tests.lanes.script import Conversation
from tests.lanes.scripted_origin import ScriptedOrigin
from tests.lanes.service_with_origin import ServiceWithOrigin, origin_tls
from tests.lanes.services import ServicePool, ServiceUnderTest
from tests.lanes.settings import interception_ca
from tests.lanes.unsupported import FRONT_END

TIMEOUT = 60.0
"""Seconds. A connection that takes longer to close fails the test."""

Protocol = Literal["http", "https", "http2", "http2-clear"]
"""HTTP/1.1 or HTTP/2; over TLS in a CONNECT tunnel, or in clear."""

CLEAR = ("http", "http2-clear")


class ServerLane:
    """The whole proxy, through its front end if the lane is one of FRONT_END, else through mitmproxy's listener.

    The name is the protocol, unless another one is given.
    """

    def __init__(self, services: ServicePool, protocol: Protocol, name: str = "") -> None:
        self.name: str = name or protocol
        self._protocol: Protocol = protocol
        self._services = services

    @asynccontextmanager
    async def open(self, conversation: Conversation) -> AsyncIterator[ServerUnderTest]:
        service = await self._services.service(conversation)
        front_end = self.name in FRONT_END
        address = await self._services.proxy(service, front_end=front_end)
        await service.reset()
        async with ScriptedOrigin(None if self._protocol in CLEAR else origin_tls()) as origin:
            server = ServerUnderTest(service, origin, address, self._protocol, front_end=front_end)
            try:
                yield server
            finally:
                await server.close()


class ServerUnderTest(ServiceWithOrigin):
    def __init__(
        self,
        service: ServiceUnderTest,
        origin: ScriptedOrigin,
        address: tuple[str, int],
        protocol: Protocol,
        *,
        front_end: bool,
    ) -> None:
        super().__init__(service, origin, "http" if protocol in CLEAR else "https")
        self._front_end = front_end
        self._address = address
        self._protocol = protocol
        self._clients: dict[str, Http1Client | Http2Client] = {}

    async def send_request(self, client: str, request: ClientRequest) -> None:
        self.note_request(request)
        if client not in self._clients:
            self._clients[client] = self._new_client()
        await self._clients[client].send(request)

    async def receive_response(self, client: str) -> ClientResponse:
        response = await self._clients[client].receive()
        if not self._front_end:
            response = replace(response, interim=None, trailers=None)
        if response.cut:
            await self._clients.pop(client).close()
        return response

    async def disconnect(self, client: str) -> None:
        await self._clients.pop(client).disconnect()

    def _new_client(self) -> Http1Client | Http2Client:
        match self._protocol:
            case "http":
                return Http1Client(self._address, self.authority, None)
            case "https":
                return Http1Client(self._address, self.authority, client_tls("http/1.1"))
            case "http2":
                # the front end gives clients with HTTP/2 only to mitmproxy
                tls = client_tls("h2", "http/1.1") if self._front_end else client_tls("h2")
                return Http2Client(self._address, self.authority, tls, trailers=self._front_end)
            case "http2-clear":
                return Http2Client(self._address, self.authority, None, trailers=True)

    async def close(self) -> None:
        async with asyncio.timeout(TIMEOUT):
            for client in self._clients.values():
                await client.close()


@cache
def client_tls(*protocols: str) -> ssl.SSLContext:
    """Return the TLS context of a client that trusts only the proxy's CA, and offers these protocols."""
    context = ssl.create_default_context(cafile=str(interception_ca()))
    context.set_alpn_protocols(list(protocols))
    return context
