"""A tunnel that stays closed to us: octets go through untouched, no faster than the other end takes them.

mitmproxy does not serve here. It would take off what looks like TLS and go on in clear, waits for the client to speak
first, and keeps every octet.
"""

from __future__ import annotations

import asyncio
import logging
from math import inf
from typing import cast

from addon.frontend.http1.frontend import Door
from addon.origin import OriginFailure
from addon.runtime.access_log import line_of

logger = logging.getLogger(__name__)

TUNNEL_TIMEOUT = 600.0
"""Seconds that nobody need speak."""


class TunnelEnd(asyncio.Protocol):
    """One end of a pipe: what it hears, the other one says."""

    other: TunnelEnd
    transport: asyncio.Transport | None = None

    def __init__(self, pipe: RawTunnel) -> None:
        self._pipe = pipe
        self.heard = 0
        """Octets."""
        self.heard_all = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """Say it at the other end."""
        self._pipe.rest()
        self.heard += len(data)
        if self.other.transport is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Say at the other end that no more comes; return whether that one may still speak."""
        self.heard_all = True
        if self.other.transport is None or self.other.heard_all:
            return False
        if self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other one, what was said before included unless this one broke."""
        self._pipe.ended(self)
        if self.other.transport is not None:
            self.other.transport.close() if exc is None else self.other.transport.abort()

    def pause_writing(self) -> None:
        """Let the other end wait."""
        if self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let it go on."""
        if self.other.transport is not None:
            self.other.transport.resume_reading()


class RawTunnel:
    """Both ends of a tunnel, once its client has them joined."""

    def __init__(self, door: Door, host: str, port: int, asked: str) -> None:
        self._door = door
        self._where = host, port
        self._asked = asked
        self._client, self._origin = TunnelEnd(self), TunnelEnd(self)
        self._client.other, self._origin.other = self._origin, self._client
        self._opening: asyncio.Task[None] | None = None
        self.deadline = inf

    def take(self, transport: asyncio.Transport, octets: bytes) -> None:
        """Join a client, who has said `octets`, to where it wants to go."""
        transport.pause_reading()
        transport.set_protocol(self._client)
        self._client.connection_made(transport)
        self._door.connections.add(self)
        self._opening = asyncio.get_running_loop().create_task(self._open(octets))

    async def _open(self, octets: bytes) -> None:
        try:
            await self._door.fetcher.origin.connect(*self._where, self._origin)
        except OriginFailure as failure:
            logger.info("a tunnel was not opened: %s", failure.detail)
            self.cut()
            return
        client = self._client.transport
        if client is None or client.is_closing():
            self.cut()
            return
        if octets:
            self._client.data_received(octets)
        self.rest()
        client.resume_reading()

    def rest(self) -> None:
        """Begin anew the time in which nothing need be said."""
        self.deadline = self._door.now + TUNNEL_TIMEOUT

    def ended(self, end: TunnelEnd) -> None:
        """Take note that one end is no more."""
        self._door.connections.discard(self)
        if end is self._client and end.transport is not None:
            self._door.limits.release(end.transport)
            self._door.note(end.transport, line_of(self._asked, 200, self._origin.heard, "tunnel"))

    def expire(self) -> None:
        """End a tunnel in which nobody speaks any more."""
        self.cut()

    def shut(self) -> None:
        """End: nobody can tell when what is under way is done."""
        self.cut()

    def cut(self) -> None:
        """End at once."""
        self._door.connections.discard(self)
        for end in (self._client, self._origin):
            if end.transport is not None:
                end.transport.abort()
