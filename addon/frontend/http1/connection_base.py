"""What sending needs of a client's connection: when it may go on, and how long the client has."""

from __future__ import annotations

import asyncio
from math import inf

from addon.frontend.connection_limits import address_of
from addon.frontend.http1.frontend import IDLE_TIMEOUT, LINGER, STALL_TIMEOUT, Door
from addon.frontend.http1.request_body import RequestBody
from addon.frontend.http1.request_head import MalformedRequest
from addon.frontend.http1.response_head import Framing, head_octets
from addon.frontend.http1.send import ClientGone, write_together
from addon.pipeline.reply import Reply
from addon.runtime.access_log import NOT_UNDERSTOOD, line_of
from cache.http.messages import Response


class ClientSide(asyncio.Protocol):
    """One client connection, as far as its pace goes."""

    transport: asyncio.Transport

    def __init__(self, door: Door) -> None:
        self.deadline = door.now + IDLE_TIMEOUT
        self._alone = False
        """Nobody else waits, or will, for what is being done for this client."""
        self._client = ""
        self._door = door
        self._idle = True
        """Whatever arrives now is a new request, and can be answered."""
        self._leaving = False
        """The connection ends after the present answer."""
        self._paused = False
        """The client has not taken what was written."""
        self._rate_mark = 0
        self._upload: RequestBody | None = None
        self._writable: asyncio.Future[None] | None = None

    def pause_writing(self) -> None:
        """Answer nothing more while the client does not read."""
        self._paused, self._idle = True, False
        self.deadline = self._door.now + STALL_TIMEOUT

    def cut(self) -> None:
        """End at once."""
        self.transport.abort()

    def begins(self) -> None:
        """Note that nobody else waits for what is being done for this client: its answer has begun."""
        self._alone = True

    def pass_on(self, interim: Response) -> None:
        """Send an interim response."""
        if not self.transport.is_closing():
            self.transport.write(head_octets(interim))

    def client(self) -> str:
        """Return the client's address."""
        if not self._client:
            self._client = address_of(self.transport)
        return self._client

    async def writable(self) -> None:
        """Wait until the client has taken enough of what was written. Raises ClientGone."""
        if self._paused:
            await self.watched(asyncio.get_running_loop().create_future())
        if self.transport.is_closing():
            raise ClientGone

    async def flushed(self) -> None:
        """Wait until the socket has taken all that was written. Raises ClientGone."""
        if self.transport.is_closing():
            raise ClientGone
        self.transport.set_write_buffer_limits(0)  # whatever is left counts as too much, and is waited for
        while self.transport.get_write_buffer_size():
            await self.writable()
            await asyncio.sleep(0)
        self.transport.set_write_buffer_limits()

    async def watched(self, ready: asyncio.Future[None]) -> None:
        """Wait for `ready`, as long as the client is there. Raises ClientGone."""
        self._writable, self.deadline = ready, self._door.now + STALL_TIMEOUT
        await ready
        self._await_client()
        if self.transport.is_closing():
            raise ClientGone

    def _wake(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    def _await_client(self) -> None:
        """Begin the time in which the client must send, if it is sending."""
        if self._upload is None or self._upload.complete:
            self.deadline = inf
        else:
            self.deadline = self._door.now + STALL_TIMEOUT
            self._rate_mark = self._upload.received

    def _depart(self) -> None:
        """End in order: a client that is still sending must be able to read why nobody listens (RFC 9112 §9.6)."""
        if self._upload is None or self._upload.complete or not self.transport.can_write_eof():
            self.transport.close()
            self.deadline = self._door.now + STALL_TIMEOUT  # it waits for the client to read what is left
        elif not self.transport.is_closing():
            self.transport.write_eof()
            self.transport.resume_reading()
            self.deadline = self._door.now + LINGER

    def _end_of_requests(self) -> None:
        self._leaving, self._idle = True, False
        if self._upload is not None:
            self._upload.fail("the client left before its content was whole")

    def _forget(self) -> None:
        """Take the end of the connection, as far as nobody answers."""
        self._door.connections.discard(self)
        self._door.limits.release(self.transport)
        self.deadline = inf
        self._end_of_requests()
        self._wake()

    def _end_with(self, reply: Reply, asked: str = NOT_UNDERSTOOD) -> None:
        self._leaving = True
        if isinstance(reply.content, bytes):
            write_together(self.transport, head_octets(reply.head, Framing(close=True)), reply.content)
            self._door.note(self.transport, line_of(asked, reply.head.status, len(reply.content)))

    def _refuse(self, fault: MalformedRequest) -> None:
        """Say what is wrong with a request, and end."""
        self._end_with(self._door.fetcher.malformed(str(fault), fault.status))
