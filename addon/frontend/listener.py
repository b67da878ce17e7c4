"""The public listener: sockets on which conversations begin."""

from __future__ import annotations

import asyncio
from functools import partial

from addon.frontend.entrance import Entrance
from addon.frontend.http1.connection import Conversation
from addon.frontend.http1.frontend import Door

BACKLOG = 4096
"""Connections that may wait to be accepted; a herd of clients comes at once."""


class Listener:
    """One address on which clients are taken in."""

    def __init__(self, door: Door) -> None:
        self.door = door
        door.converse = partial(Conversation, door)
        self._server: asyncio.Server | None = None
        self.address = ("", 0)
        """Host and port, once it listens."""

    async def start(self, host: str, port: int) -> None:
        """Listen. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(partial(Entrance, self.door), host or None, port, backlog=BACKLOG)
        self.address = self._server.sockets[0].getsockname()[:2]
        self.door.begin()

    async def close(self, patience: float = 0.0) -> None:
        """Take nobody in any more; let answers under way end within `patience` seconds."""
        if self._server is not None:
            self._server.close()
        await self.door.close(patience)
        if self.door.log is not None:
            await self.door.log.close()
