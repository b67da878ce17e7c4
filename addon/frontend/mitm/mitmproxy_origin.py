"""The way to origins inside another mitmproxy, for requests that no flow can make.

A flow's own fetch cannot fall back on a copy once it has failed, and work in the background has no flow.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from mitmproxy import ctx, http
from mitmproxy.proxy.mode_specs import UpstreamMode

from addon.frontend.mitm.arriving_response import ArrivingResponse
from addon.frontend.mitm.messages import headers_of
from addon.frontend.mitm.reachable_addresses import ReachableAddresses
from addon.frontend.mitm.server_side import ServerSide
from addon.frontend.mitm.way_out import WayOut, current_way, way_of_request
from addon.origin import FailureKind, OriginFailure, RequestContent
from addon.origin.options import OriginOptions
from addon.runtime.background_tasks import BackgroundTasks
from cache.http.messages import Request, Response


class MitmproxyOrigin:
    """Sends requests through mitmproxy's own side towards servers, so that all of its options are obeyed."""

    def __init__(self, options: OriginOptions, clock: Callable[[], float]) -> None:
        """Obey the time limits and the rules for targets. `clock` returns seconds since the epoch."""
        self._options = options
        self._timeout = options.connect_timeout + options.first_byte_timeout
        self._clock = clock
        self.addresses = ReachableAddresses(options, clock)
        self._fetching = BackgroundTasks()

    async def fetch(
        self,
        request: Request,
        *,
        interim: Callable[[Response], None] | None = None,  # noqa: ARG002 - mitmproxy reports no interim responses
        content: RequestContent | None = None,
        named_host: bool = False,  # noqa: ARG002 - mitmproxy sends the Host field that the request has
        connected: Callable[[], None] | None = None,  # noqa: ARG002 - mitmproxy does not report connections
    ) -> ArrivingResponse:
        """Send a request by the way of the current flow, if it is to the same origin. Raises OriginFailure."""
        way = current_way.get()
        if way is None or way.origin != request.origin:
            way = way_of_request(request)
        await self.refuse_unreachable(way)
        if way.tls and ctx.options.ssl_insecure:  # ledger SEC-08
            raise OriginFailure(
                FailureKind.DESTINATION_UNAVAILABLE,
                f"{request.authority} is not asked for the cache while ssl_insecure is on.",
            )
        body = b"".join([chunk async for chunk in content.chunks]) if content else b""
        response = ArrivingResponse(request.method, self._clock)
        side = ServerSide(way, _request_of(request, body, way), response, self._options)
        task = self._fetching.begin(side.run())
        try:
            async with asyncio.timeout(self._timeout):
                await response.received()
        except TimeoutError:
            task.cancel()
            detail = f"{request.authority} sent no response within {self._timeout:g} seconds."
            raise OriginFailure(FailureKind.CONNECTION_READ_TIMEOUT, detail, disconnected=True) from None
        except asyncio.CancelledError:
            task.cancel()
            raise
        return response

    async def refuse_unreachable(self, way: WayOut) -> None:
        """Raise OriginFailure if clients may not reach the address to which a way leads."""
        if way.via is None:
            await self.addresses.of(*way.address)

    def renew(self, request: Request) -> None:
        """Do nothing: every request has a connection of its own."""

    async def close(self) -> None:
        """End what is under way."""
        await self._fetching.close()
        await self.addresses.close()


def _request_of(request: Request, content: bytes, way: WayOut) -> http.Request:
    """Return a request as one of mitmproxy. To an upstream proxy, http has the absolute form (RFC 9112 §3.2.2)."""
    fields = request.fields
    if "host" not in fields:
        fields = fields.appending(("Host", request.authority))
    if content:
        fields = fields.without(["transfer-encoding"]).replacing("Content-Length", str(len(content)))
    absolute = isinstance(way.client.proxy_mode, UpstreamMode) and not way.tls
    now = time.time()
    return http.Request(
        host=way.address[0],
        port=way.address[1],
        method=request.method.encode("latin-1"),
        scheme=b"https" if way.tls else b"http",
        authority=request.authority.encode("latin-1") if absolute else b"",
        path=request.target.encode("latin-1"),
        http_version=b"HTTP/1.1",
        headers=headers_of(fields),
        content=content,
        trailers=None,
        timestamp_start=now,
        timestamp_end=now,
    )
