"""Waits in its hooks: in a coroutine, and in a thread."""

import asyncio
import time

from mitmproxy import http
from mitmproxy.script import concurrent


async def request(flow: http.HTTPFlow) -> None:
    await asyncio.sleep(0.01)
    flow.request.headers["X-Waited"] = "yes"


@concurrent  # type: ignore[untyped-decorator]  # mitmproxy states no types here
def response(flow: http.HTTPFlow) -> None:
    time.sleep(0.01)
    if flow.response:
        flow.response.headers["X-Waited"] = "yes"
