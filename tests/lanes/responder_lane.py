"""The lanes of the responder: engine, store and origin client together, without front end and mitmproxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from addon.origin import OriginFailure
from cache.http.messages import Request
from cache.stores.base import StoreError
from tests.lanes.messages import ClientRequest, ClientResponse
from tests.lanes.script import Conversation
from tests.lanes.scripted_origin import ScriptedOrigin
from tests.lanes.service_with_origin import ServiceWithOrigin, origin_tls
from tests.lanes.services import ServicePool, ServiceUnderTest

MAX_SMALL = 65_536
"""Bytes of content that the responder reads before its reply begins."""


class ResponderLane:
    """The responder, with a store of this kind."""

    def __init__(self, services: ServicePool, *, store: str = "memory") -> None:
        self.name = "responder" if store == "memory" else store
        self._services = services
        self._store = store

    @asynccontextmanager
    async def open(self, conversation: Conversation) -> AsyncIterator[ResponderUnderTest]:
        service = await self._services.service(conversation, store=self._store)
        await service.reset()
        scheme = "https" if conversation.secure else "http"
        async with ScriptedOrigin(origin_tls() if conversation.secure else None) as origin:
            responder = ResponderUnderTest(service, origin, scheme)
            try:
                yield responder
            finally:
                await responder.close()


class ResponderUnderTest(ServiceWithOrigin):
    def __init__(self, service: ServiceUnderTest, origin: ScriptedOrigin, scheme: str) -> None:
        super().__init__(service, origin, scheme)
        self._port = origin.port
        self._responses: dict[str, asyncio.Task[ClientResponse]] = {}
        self._response_begins: dict[str, asyncio.Event] = {}

    async def send_request(self, client: str, request: ClientRequest) -> None:
        self.note_request(request)
        head = Request(
            request.method, self.scheme, "127.0.0.1", self._port, target=request.target, fields=request.fields
        )
        begins = self._response_begins[client] = asyncio.Event()
        self._responses[client] = asyncio.ensure_future(self._respond(head, begins))

    async def receive_response(self, client: str) -> ClientResponse:
        return await self._responses.pop(client)

    async def disconnect(self, client: str) -> None:
        await self._response_begins[client].wait()
        task = self._responses.pop(client)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _respond(self, request: Request, begins: asyncio.Event) -> ClientResponse:
        responder = self._service.service.active.current.responder
        reply = await responder.buffered(request, await responder.respond(request), MAX_SMALL)
        begins.set()
        status, reason, fields, content = reply.head.status, reply.head.reason, reply.head.fields, reply.content
        if isinstance(content, bytes):
            return ClientResponse(status, reason, fields, content)
        body, cut = b"", False
        try:
            async for chunk in content.chunks:
                body += chunk
        except (OriginFailure, StoreError):
            cut = True
        finally:
            await content.close()
        return ClientResponse(status, reason, fields, body, cut)

    async def close(self) -> None:
        for task in self._responses.values():
            task.cancel()
        await asyncio.gather(*self._responses.values(), return_exceptions=True)
