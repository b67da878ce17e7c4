"""mitmproxy's side towards servers, without a client: sends one request that no addon sees as a flow.

mitmproxy itself replays requests in this way (`mitmproxy/addons/clientplayback.py`). Addons see the connection: all
hooks about servers, TLS and upstream proxies are theirs.
"""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Literal

from mitmproxy import connection, ctx, http
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events, layers, server
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.proxy.mode_specs import ProxyMode, UpstreamMode

from addon.frontend.mitm.arriving_response import ArrivingResponse
from addon.frontend.mitm.failures import failure_of
from addon.frontend.mitm.messages import fields_of, head_of
from addon.frontend.mitm.strict_http1_client import with_strict_reader
from addon.frontend.mitm.way_out import WayOut
from addon.origin.options import OriginOptions
from cache.http.messages import host_port

logger = logging.getLogger(__name__)

STREAM = 1
"""The number of the only request."""


class AbsentClient(layers.http.HttpConnection):
    """Takes the place of a client's connection: sends the request, and passes the response on."""

    def __init__(self, context: Context, flow: http.HTTPFlow, response: ArrivingResponse, ended: asyncio.Event) -> None:
        super().__init__(context, context.client)
        self._flow = flow
        self._response = response
        self._ended = ended

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        match event:
            case events.Start():
                yield from self._send()
            case layers.http.ResponseHeaders(response=response) if response.status_code < 200:
                # mitmproxy takes an interim response for the final one
                self._fail(f"an interim response, {response.status_code}, came from server")
            case layers.http.ResponseHeaders(response=response):
                self._response.server_conn = self._flow.server_conn
                self._response.begin(head_of(response))
            case layers.http.ResponseData(data=data):
                self._response.feed(data)
            case layers.http.ResponseTrailers(trailers=trailers):
                self._response.trailers = fields_of(trailers)
            case layers.http.ResponseEndOfMessage():
                self._response.end(self._response.trailers)
                self._ended.set()
            case layers.http.ResponseProtocolError(message=message):
                self._fail(message)

    def _send(self) -> CommandGenerator[None]:
        request = self._flow.request
        content = request.raw_content
        begin = layers.http.RequestHeaders(STREAM, request, end_stream=not content, replay_flow=self._flow)
        yield layers.http.ReceiveHttp(begin)
        if content:
            yield layers.http.ReceiveHttp(layers.http.RequestData(STREAM, content))
        yield layers.http.ReceiveHttp(layers.http.RequestEndOfMessage(STREAM))

    def _fail(self, message: str) -> None:
        self._response.fail(failure_of(self._flow.request.pretty_host, message))
        self._ended.set()


class OwnHttpLayer(layers.HttpLayer):
    """mitmproxy's layer for HTTP, with a strict reader for what origins send over HTTP/1."""

    def __init__(self, context: Context, mode: HTTPMode, options: OriginOptions) -> None:
        """Obey the limits in `options`."""
        super().__init__(context, mode)
        self._options = options

    def register_connection(self, command: layers.http.RegisterHttpConnection) -> CommandGenerator[None]:
        """Use a connection to an origin."""
        if not command.err:
            opened = self.connections[command.connection]
            self.connections[command.connection] = with_strict_reader(opened, self._options)
        yield from super().register_connection(command)


class ServerSide(server.ConnectionHandler):
    """Sends one request by a way out, and reports the response."""

    def __init__(self, way: WayOut, request: http.Request, response: ArrivingResponse, options: OriginOptions) -> None:
        """Prepare to send the request, with the limits in `options` for the response."""
        client = way.client.copy()
        client.state = ConnectionState.OPEN
        if isinstance(client.proxy_mode, UpstreamMode) and way.via:
            # mitmproxy takes the proxy of the mode, and a script may have chosen another one for the flow
            scheme, address = way.via
            client.proxy_mode = ProxyMode.parse(f"upstream:{scheme}://{host_port(*address)}")
        context = Context(client, ctx.options)
        context.server = connection.Server(address=way.address, via=way.via, tls=way.tls, sni=way.sni)
        super().__init__(context)
        self._response = response
        self._ended = asyncio.Event()
        response.on_close = self._ended.set
        flow = http.HTTPFlow(client, context.server)
        flow.request = request
        if authentication := ctx.master.addons.get("upstreamauth"):
            authentication.requestheaders(flow)  # mitmproxy's own addon for the option upstream_auth
        mode = HTTPMode.upstream if isinstance(client.proxy_mode, UpstreamMode) else HTTPMode.transparent
        layer = OwnHttpLayer(context, mode, options)
        layer.connections[client] = AbsentClient(context.fork(), flow, response, self._ended)
        self.layer = layer

    async def run(self) -> None:
        """Send the request, and receive the response to its end."""
        try:
            await self.server_event(events.Start())
            await self._ended.wait()
        finally:
            handlers = [transport.handler for transport in self.transports.values() if transport.handler]
            tasks = [*handlers, *self.wakeup_timer]
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)
            for left_open in self.transports.values():  # by a handler that was cancelled before it read anything
                if left_open.writer:
                    left_open.writer.close()

    async def drain_writers(self) -> None:
        """Read no more from the server while the pipeline has much to read."""
        await super().drain_writers()  # type: ignore[no-untyped-call]  # mitmproxy states no types here
        await self._response.has_room()

    async def handle_hook(self, hook: commands.StartHook) -> None:
        """Show addons what concerns the connection, and not the flow: theirs is the client's own."""
        match hook:
            case layers.http.HttpResponseHeadersHook(flow=flow):
                if flow.response:
                    flow.response.stream = True
            case (
                layers.http.HttpRequestHeadersHook()
                | layers.http.HttpRequestHook()
                | layers.http.HttpResponseHook()
                | layers.http.HttpErrorHook()
            ):
                pass
            case _:
                await ctx.master.addons.handle_lifecycle(hook)

    def log(
        self,
        message: str,
        level: int = logging.INFO,
        exc_info: Literal[True] | tuple[type[BaseException], BaseException, TracebackType | None] | None = None,
    ) -> None:
        """Write to the log, named as the cache's own connection."""
        logger.log(level if level >= logging.WARNING else logging.DEBUG, "[secondhand] %s", message, exc_info=exc_info)
