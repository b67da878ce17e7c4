"""Runs conversations between the origin client and the raw origins of one site."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import MappingProxyType
from typing import Any

from addon.config.settings import Settings
from addon.origin import OriginClient
from addon.runtime.event_loop import new_event_loop
from cache.http.messages import Fields, Request
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, Script

HOST = "app.example"

type Conversation = Callable[[OriginClient, list[RawOrigin]], Awaitable[None]]


def run_site(
    conversation: Conversation,
    *scripts: Script | Sequence[Script],
    closed: int = 0,
    origin_table: Mapping[str, Any] = MappingProxyType({}),
    **keys: Any,
) -> None:
    """Run a conversation with a client for the site of HOST.

    Args:
        conversation: Gets the client and the origins.
        scripts: For each origin, the script for its connections, or one for each connection.
        closed: This many of the first origins do not listen.
        origin_table: Settings of the table `[origin]`.
        keys: Keys of the `[[site]]` table beside `hosts` and `origins`.
    """

    async def main() -> None:
        async with AsyncExitStack() as stack:
            origins = []
            for each in scripts:
                origin = RawOrigin(*([each] if callable(each) else each))
                origins.append(await stack.enter_async_context(origin))
            site = {"hosts": [HOST], "origins": [f"http://127.0.0.1:{origin.port}" for origin in origins], **keys}
            for origin in origins[:closed]:
                await origin.__aexit__()
            settings = Settings.model_validate({"site": [site], "origin": {"proxy": "none", **origin_table}})
            client = OriginClient(settings.origin_options())
            try:
                async with asyncio.timeout(60):
                    await conversation(client, origins)
            finally:
                await client.close()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
    gc.collect()  # an unclosed resource is reported in the test that did not close it


def ask(target: str = "/", *fields: tuple[str, str], method: str = "GET", has_content: bool = False) -> Request:
    return Request(method, "http", HOST, 80, target, Fields(fields), has_content=has_content)


async def body(client: OriginClient, request: Request, **given: Any) -> bytes:
    """Return the whole body of the response to a request."""
    response = await client.fetch(request, **given)
    return b"".join([chunk async for chunk in response.body()])


def naming(name: bytes) -> Script:
    """Return a script that answers every request with a name."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(name), name))

    return script
