"""The responder over a real origin: engine, store and origin client joined, without mitmproxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from addon.frontend.mitm.hooks import SMALL
from addon.origin import OriginFailure
from cache.http.messages import Request
from cache.stores.base import StoreError
from tests.lanes.house import House, Street
from tests.lanes.messages import Asked, Heard
from tests.lanes.script import Conversation
from tests.lanes.scripted_origin import ScriptedOrigin
from tests.lanes.socket_stage import SocketStage, origin_tls


class ResponderLane:
    def __init__(self, street: Street, *, on_disk: bool = False) -> None:
        self.name = "disk" if on_disk else "responder"
        self._street = street
        self._on_disk = on_disk

    @asynccontextmanager
    async def stage(self, conversation: Conversation) -> AsyncIterator[ResponderStage]:
        house = await self._street.house(conversation, on_disk=self._on_disk)
        await house.begin()
        scheme = "https" if conversation.secure else "http"
        async with ScriptedOrigin(origin_tls() if conversation.secure else None) as origin:
            stage = ResponderStage(house, origin, scheme)
            try:
                yield stage
            finally:
                await stage.close()


class ResponderStage(SocketStage):
    def __init__(self, house: House, origin: ScriptedOrigin, scheme: str) -> None:
        super().__init__(house, origin, scheme)
        self._port = origin.port
        self._hearing: dict[str, asyncio.Task[Heard]] = {}
        self._something_came: dict[str, asyncio.Event] = {}

    async def ask(self, client: str, asked: Asked) -> None:
        self.note(asked)
        request = Request(asked.method, self.scheme, "127.0.0.1", self._port, asked.target, asked.fields)
        came = self._something_came[client] = asyncio.Event()
        self._hearing[client] = asyncio.ensure_future(self._hear(request, came))

    async def heard(self, client: str) -> Heard:
        return await self._hearing.pop(client)

    async def leave(self, client: str) -> None:
        await self._something_came[client].wait()
        task = self._hearing.pop(client)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _hear(self, request: Request, came: asyncio.Event) -> Heard:
        responder = self._house.service.responder
        reply = await responder.buffered(request, await responder.respond(request), SMALL)
        came.set()
        status, reason, fields, content = reply.head.status, reply.head.reason, reply.head.fields, reply.content
        if isinstance(content, bytes):
            return Heard(status, reason, fields, content)
        body, cut = b"", False
        try:
            async for chunk in content.octets:
                body += chunk
        except (OriginFailure, StoreError):
            cut = True
        finally:
            await content.close()
        return Heard(status, reason, fields, body, cut)

    async def close(self) -> None:
        for task in self._hearing.values():
            task.cancel()
        await asyncio.gather(*self._hearing.values(), return_exceptions=True)
