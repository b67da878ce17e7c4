"""Intercepts requests and responses as a user does, and edits, resumes or kills each a moment later."""

import asyncio

from mitmproxy import ctx, http
from mitmproxy.addons.intercept import Intercept


class User:
    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def running(self) -> None:
        ctx.options.update(intercept="~u text | ~u page | ~u large")

    def request(self, flow: http.HTTPFlow) -> None:
        self._look_at(flow)

    def response(self, flow: http.HTTPFlow) -> None:
        self._look_at(flow)

    def _look_at(self, flow: http.HTTPFlow) -> None:
        task = asyncio.get_running_loop().create_task(self._edit(flow))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _edit(self, flow: http.HTTPFlow) -> None:
        await asyncio.sleep(0.02)
        if not flow.intercepted:
            return
        if flow.response is None and flow.request.path == "/text":
            flow.request.path = "/other?edited=text"
        elif flow.response is not None and flow.request.path == "/large":
            flow.response.text = "short"
        flow.resume()
        if flow.request.path == "/page":
            flow.kill()


addons = [Intercept(), User()]
