"""Accepts clients on the sockets that all workers share, and pauses while this worker has more than its share."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence

from addon.frontend.connection_shares import ConnectionShare

logger = logging.getLogger(__name__)

BACKLOG = 4096
"""Connections that the kernel keeps until they are accepted; many clients may connect at once."""

PAUSE = 0.01
"""Seconds for which a worker leaves new connections to others. Nobody waits for longer if these hang."""

FORGET = 1.0
"""Seconds without a pause after which it is not remembered that others did not take what was left to them."""

MakeProtocol = Callable[[socket.socket], Callable[[], asyncio.Protocol]]
"""Returns what makes the protocols of connections that are accepted on a socket."""


class Accepting:
    """The servers on bound sockets.

    Attributes:
        share: This worker's share of the connections, if there are other workers.
    """

    def __init__(self, make_protocol: MakeProtocol) -> None:
        self.share: ConnectionShare | None = None
        self._make_protocol = make_protocol
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._resuming: asyncio.Task[None] | None = None
        self._accepted = 0
        """Connections since the last pause."""
        self._allowed = 1
        """Connections beyond the share until the next pause."""
        self._paused_at = 0.0

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accept clients on bound sockets, which stay open for others who share them. Raises OSError."""
        await self._listen(sockets)
        if self.share is not None:
            self._sockets = [each.dup() for each in sockets]  # to listen again after a pause
            self.share.publish(0)

    async def _listen(self, sockets: Sequence[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        for each in sockets[len(self._servers) :]:
            protocol = self._make_protocol(each)
            server = await loop.create_server(protocol, sock=each.dup(), backlog=BACKLOG, start_serving=False)
            self._servers.append(server)  # before it begins, since this task may be cancelled then
            await server.start_serving()

    def note_accepted(self, connections: int) -> None:
        """Leave the next connections to other workers if this one has many more. It has so many now."""
        if self.share is None:
            return
        self.share.publish(connections)
        if not self.share.is_exceeded():
            self._accepted, self._allowed = 0, 1
            return
        self._accepted += 1
        if self._accepted >= self._allowed and self._resuming is None:
            self._pause()

    def _pause(self) -> None:
        now = asyncio.get_running_loop().time()
        # others that did not take what was left to them may hang, or be as busy as they can
        self._allowed = 1 if now - self._paused_at > FORGET else 2 * self._allowed
        self._accepted, self._paused_at = 0, now
        self._close_servers()
        self._resuming = asyncio.get_running_loop().create_task(self._resume())

    async def _resume(self) -> None:
        while len(self._servers) < len(self._sockets):
            await asyncio.sleep(PAUSE)
            try:
                await self._listen(self._sockets)
            except OSError as error:  # no file descriptor is free
                logger.warning("no clients can be accepted: %s", error.strerror)
        self._resuming = None

    def stop(self) -> None:
        """Accept no more connections. May be called again."""
        if self._resuming is not None:
            self._resuming.cancel()
            self._resuming = None
        self._close_servers()
        for each in self._sockets:
            each.close()
        self._sockets.clear()
        if self.share is not None:
            self.share.withdraw()
            self.share = None

    def _close_servers(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
