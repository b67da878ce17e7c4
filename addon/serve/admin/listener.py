"""The admin listener in the event loop of its process. Its HTTP server is imported when the first client connects."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from addon.runtime.token_file import TokenFile
from addon.serve.admin.administered import Administered
from addon.serve.listening_sockets import close_all

if TYPE_CHECKING:
    from addon.serve.admin.server import AdminServer

logger = logging.getLogger(__name__)

BACKLOG = 64
"""Connections that may wait until they are accepted."""


class AdminListener:
    """Listens for programs that look into the proxy, or order it to do something."""

    def __init__(self, proxy: Administered, sockets: Sequence[socket.socket], *, in_thread: bool = True) -> None:
        """Use bound sockets. `in_thread`: while the HTTP server is imported, the event loop goes on."""
        self._proxy = proxy
        self._sockets = sockets
        self._in_thread = in_thread
        self._starting: asyncio.Task[None] | None = None
        self._server: AdminServer | None = None
        self._is_closed = False

    def start(self) -> None:
        """Make the token, unless it exists, and listen."""
        if not self._sockets:
            return
        settings = self._proxy.settings
        token = settings.admin.token(settings.store.directory)
        try:
            TokenFile(token).make()
        except OSError as error:
            logger.warning("there is no token for the admin API: %s: %s", token, error.strerror)
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            each.listen(BACKLOG)
            loop.add_reader(each, self._client_waits)

    def _client_waits(self) -> None:
        self._stop_waiting()
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._serve())

    def _stop_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            loop.remove_reader(each)

    async def _serve(self) -> None:
        try:
            server_class = await asyncio.to_thread(_server_class) if self._in_thread else _server_class()
            self._server = server_class(self._proxy)
            await self._server.start(self._sockets)
        except Exception:  # whatever it is, clients of the proxy are served
            logger.exception("there is no admin API")
            close_all(self._sockets)

    async def close(self, *, handed_over: bool = False) -> None:
        """Stop listening; requests under way get a moment to end. `handed_over`: another program has the address."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._starting is None:
            self._stop_waiting()
        else:
            await self._starting
        if self._server is not None:
            await self._server.close()
        close_all(self._sockets)
        path = self._proxy.settings.admin.socket
        if path is not None and self._sockets and not handed_over and path.is_socket():
            path.unlink(missing_ok=True)


def _server_class() -> type[AdminServer]:
    from addon.serve.admin.server import AdminServer  # slow to import, and many proxies are never asked

    return AdminServer
