"""Runs conversations with an edge on a loopback port, between raw clients and the raw origins of its sites."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from addon.runtime.event_loop import new_event_loop
from tests.addon.frontend.front_end import TIMEOUT, FrontEndUnderTest, request_head
from tests.fixtures.raw_origin import RawOrigin, Script

type Sites = Callable[[list[str]], list[dict[str, Any]]]
"""Makes the `[[site]]` tables of the URLs of the origins."""

type EdgeConversation = Callable[[FrontEndUnderTest, list[RawOrigin]], Awaitable[None]]


def run_edge(conversation: EdgeConversation, sites: Sites, *scripts: Script | Sequence[Script], **tables: Any) -> None:
    """Run a conversation through an edge.

    Args:
        conversation: Gets the front end and the origins.
        sites: Makes the sites.
        scripts: For each origin, the script for its connections, or one for each connection.
        tables: Further settings, by section.
    """

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        async with AsyncExitStack() as stack:
            origins = [
                await stack.enter_async_context(RawOrigin(*([each] if callable(each) else each))) for each in scripts
            ]
            urls = [f"http://127.0.0.1:{origin.port}" for origin in origins]
            started = await stack.enter_async_context(FrontEndUnderTest({"site": sites(urls), **tables}))
            async with asyncio.timeout(TIMEOUT):
                await conversation(started, origins)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
    gc.collect()  # so that an unclosed resource is reported in the test that left it open


def ask(host: str, path: str = "/", *lines: str, method: str = "GET") -> bytes:
    """Return a request as clients send it to an edge; `lines` are further field lines."""
    return request_head(f"{method} {path} HTTP/1.1", f"Host: {host}", *lines)
