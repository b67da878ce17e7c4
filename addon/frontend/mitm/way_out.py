"""The way by which mitmproxy reaches an origin for a flow: address, TLS and proxies, decided by mode and addons."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass

from mitmproxy import connection, ctx, http
from mitmproxy.net.server_spec import ServerSpec
from mitmproxy.proxy.mode_specs import ProxyMode, UpstreamMode

from cache.http.messages import Request


@dataclass(frozen=True, slots=True)
class WayOut:
    """The way by which mitmproxy reaches one origin."""

    origin: str
    """The origin as in `Request.origin`, by which a request finds its way."""
    client: connection.Client
    """The client on whose behalf requests are sent: its mode and its TLS offers count."""
    address: tuple[str, int]
    tls: bool
    sni: str | None
    via: ServerSpec | None
    """The proxy to ask, if there is one."""


current_way: ContextVar[WayOut | None] = ContextVar("current_way", default=None)
"""The way of the flow that is being answered. Work that this starts in the background has it, too."""


def way_of_flow(flow: http.HTTPFlow, request: Request) -> WayOut:
    """Return the way that mitmproxy would take for a flow, which is `request` to the cache."""
    address = flow.request.host, flow.request.port
    server, tls = flow.server_conn, flow.request.scheme == "https"
    # as mitmproxy does it for an address that it was given in advance
    sni = (server.sni or flow.client_conn.sni or address[0]) if server.address == address else address[0]
    return WayOut(
        origin=request.origin,
        client=flow.client_conn.copy(),
        address=address,
        tls=tls,
        sni=sni if tls else None,
        via=server.via,
    )


def way_of_request(request: Request) -> WayOut:
    """Return the way for a request that belongs to no flow. If any mode has an upstream proxy, that one is used."""
    modes = [ProxyMode.parse(mode) for mode in ctx.options.mode]
    upstream = next((mode for mode in modes if isinstance(mode, UpstreamMode)), None)
    here = ("127.0.0.1", 0)
    mode = upstream or ProxyMode.parse("regular")
    client = connection.Client(peername=here, sockname=here, timestamp_start=time.time(), proxy_mode=mode)
    tls = request.scheme == "https"
    return WayOut(
        origin=request.origin,
        client=client,
        address=(request.host, request.port),
        tls=tls,
        sni=request.host if tls else None,
        via=(upstream.scheme, upstream.address) if upstream else None,
    )
