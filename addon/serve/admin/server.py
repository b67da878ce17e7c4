"""The HTTP server behind the admin listener: uvicorn with Starlette, in the event loop that runs already."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import uvicorn

from addon.runtime.token_file import TokenFile
from addon.serve.admin.access import Access
from addon.serve.admin.administered import Administered
from addon.serve.admin.application import application
from addon.serve.admin.exchange_stream import ExchangeStream
from addon.serve.admin.health import Health
from addon.serve.admin.metrics import metrics_route
from addon.serve.admin.page.routes import PATHS, page_routes
from addon.serve.admin.protocol import AdminProtocol

MAX_HEAD = 131_072
"""Bytes of the largest request head."""

GRACE = 1
"""Seconds that requests under way get at the end."""


class AdminServer:
    """The server of one proxy."""

    def __init__(self, proxy: Administered) -> None:
        settings = proxy.settings.admin
        token = TokenFile(settings.token(proxy.settings.store.directory))
        health = Health(proxy.commands, proxy.takes_clients, needs_origin=settings.ready_needs_origin)
        access = Access(token, settings.names, page=PATHS, metrics_without_token=settings.metrics_without_token)
        self._stream = ExchangeStream(proxy.commands)
        routes = [*health.routes(), metrics_route(proxy.commands), *page_routes()]
        config = uvicorn.Config(
            application(proxy.commands, self._stream, access, routes),
            http=AdminProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=GRACE,
            h11_max_incomplete_event_size=MAX_HEAD,
        )
        config.load()
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept clients on sockets that listen. uvicorn's own main loop, with its signals, does not run."""
        await self._server.startup(list(sockets))

    async def close(self) -> None:
        """Accept no more clients, and end when the requests under way have ended, or after a moment."""
        await self._stream.close()
        await self._server.shutdown()
