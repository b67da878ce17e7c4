"""One request and its response over HTTP/2, unless a hot response answers the request at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from math import inf
from typing import Protocol

from addon.frontend.client_gone import ClientGone
from addon.frontend.connections import MIN_BYTES, STALL_TIMEOUT
from addon.frontend.http1.response_task import ResponseTask
from addon.frontend.http2 import stream_state as states
from addon.frontend.http2.header_block import response_block
from addon.frontend.http2.stream_state import Event, State
from addon.frontend.http2.upload import Upload
from addon.origin.http2.flow_control import ReceiveWindow, SendWindow
from addon.origin.http2.outbound import Outbound
from cache.http.messages import Response

SWITCHING_PROTOCOLS = 101

CONTENT_PER_TURN = 65_536
"""Bytes of content after which other streams have their turn."""

STORED_CHUNK = 65_536
"""Bytes of stored content that are loaded at a time."""

LEAST_READ = 1024
"""Bytes between two looks by which a client shows that it reads."""


class StreamOwner(Protocol):
    """The connection of a stream."""

    outbound: Outbound
    loading: asyncio.Semaphore
    """Held by the streams that have a chunk of stored content in memory."""

    def peer_address(self) -> str:
        """Return the address at the other end of the connection."""

    def now(self) -> float:
        """Return the event loop's clock."""


class Stream:
    """A request under way.

    Attributes:
        number: Its identifier.
        address: The client's address, if it is known.
        window: Bytes of content that may be sent.
        upload: The content of the request; None if it has none.
        upload_window: Bytes of content that the client may send.
        response: The task that makes the response.
        may_be_silent: Client and origin may be silent for long: event streams, gRPC, long polls.
        is_tunnel: It is a tunnel, or asks to be one. A tunnel has deadlines of its own.
        head_size: Bytes of the fields of the request, as they count for the limit of all requests.
        deadline: When the client must have read or sent enough, by the event loop's clock.
        unread: Bytes of the chunk that is being sent, or is to be loaded once the client takes content.
        is_read: Between the last two looks the client has read of the response, or of others before it.
        is_stuck: It has not, although there was content.
        began: When the request's head was there, in seconds since the epoch.
        held_since: Since when the origin has taken nothing of the content that is held for it.
    """

    def __init__(
        self,
        number: int,
        owner: StreamOwner,
        on_response_end: Callable[[Stream], None],
        *,
        window: int,
        upload_window: int,
        upload: Upload | None,
    ) -> None:
        self.number = number
        self.address = ""
        self.state = State.OPEN if upload else State.HALF_CLOSED_REMOTE
        self.window = SendWindow(window)
        self.waiter: asyncio.Future[None] | None = None
        self.upload = upload
        self.upload_window = ReceiveWindow(upload_window)
        self.response: ResponseTask | None = None
        self.may_be_silent = self.is_tunnel = False
        self.deadline = inf
        self.unread = self.head_size = 0
        self.is_read = self.is_stuck = False
        self.held_since = owner.now()
        self.began = 0.0
        self._looked_at = 0, 0, 0, 0
        """Bytes that were sent on the stream and the connection, unread, and taken by the origin, at the last look."""
        self._owner = owner
        self._on_response_end = on_response_end
        self._outbound = owner.outbound
        self._waits_to_load = self._begun = False
        self._sent = self._sent_in_turn = 0
        self._marks = 0, 0, 0
        """Content received and sent on this stream, and sent on the connection, when the deadline was set."""
        self.restart_deadline()

    def move(self, event: Event) -> None:
        """Move to the state that follows an event."""
        self.state = states.MOVES[self.state][event]

    @property
    def transport(self) -> asyncio.Transport:
        """The transport of the connection."""
        return self._outbound.transport

    @property
    def sending_complete(self) -> bool:
        """Return whether nothing more may be sent."""
        return self.state in states.RESPONSE_COMPLETE

    # ---- deadlines

    def restart_deadline(self) -> None:
        """Restart the time in which the client must send or read content, if it has to do either."""
        if self.is_tunnel or (not self._receives and not self._sends):
            self.deadline = inf
            return
        self.deadline = self._owner.now() + STALL_TIMEOUT
        self._marks = self.upload.received if self.upload else 0, self._sent, self._outbound.content_sent

    def look(self, now: float) -> None:
        """Note what has moved since the last look, a second or so ago."""
        sent, sent_by_all, unread, taken = self._looked_at
        taken_now = self.upload.received - self.held if self.upload else 0
        others_are_read = self.window.size > 0 and self._outbound.content_sent >= sent_by_all + LEAST_READ
        self.is_read = others_are_read or self._sent >= sent + LEAST_READ
        self.is_stuck = unread > 0 and not self.is_read
        if not self.held or taken_now > taken:
            self.held_since = now
        self._looked_at = self._sent, self._outbound.content_sent, self.unread, taken_now

    @property
    def held(self) -> int:
        """Return how many bytes of the request's content are held for the origin."""
        return self.upload.waiting if self.upload else 0

    @property
    def awaits_content(self) -> bool:
        """Return whether nothing can go on before the client sends content."""
        return self._receives and not self.held

    @property
    def is_kept_from_sending(self) -> bool:
        """Return whether the client could not send more content if the connection's window were full."""
        return self.upload is not None and not self.upload.complete and not self.held

    @property
    def _receives(self) -> bool:
        """Return whether the response waits for the client's content. One that has begun need not (gRPC)."""
        needs_none = self._begun or self.may_be_silent or self.is_tunnel
        return self.upload is not None and not self.upload.complete and not needs_none

    @property
    def _sends(self) -> bool:
        return self._begun and not self.sending_complete

    def is_stalled(self) -> bool:
        """Return whether the client has sent or read too little since the deadline was set."""
        received, sent, sent_by_all = self._marks
        if self.upload is not None and self.awaits_content:
            return self.upload.received < received + MIN_BYTES
        waits_for_client = self.waiter is not None or (self._waits_to_load and not self._outbound.has_room(self))
        if not waits_for_client or self._outbound.blocked:
            return False  # it waits for the origin or the store, or the connection has a deadline for that
        if self.window.size <= 0:
            return self._sent < sent + MIN_BYTES
        return self._outbound.content_sent < sent_by_all + MIN_BYTES

    # ---- sending; the handler calls these

    def client_address(self) -> str:
        """Return the client's address."""
        return self.address or self._owner.peer_address()

    def send_interim(self, interim: Response) -> None:
        """Send an interim response (1xx)."""
        # RFC 9113 §8.6: there is no 101 in HTTP/2
        if not self.sending_complete and interim.status != SWITCHING_PROTOCOLS:
            self._outbound.write_headers(self.number, response_block(interim), end_stream=False)

    def send_headers(self, block: bytes, *, end_stream: bool) -> None:
        """Send the response's header block, or its trailer section. Raises ClientGone if the stream was reset."""
        if self.sending_complete:
            raise ClientGone
        if self.response is not None:
            self.response.keep_for_client()
        self._outbound.write_headers(self.number, block, end_stream=end_stream)
        self._begun = True
        self._after_sending(end_stream=end_stream)
        self.restart_deadline()

    async def send_content(self, content: bytes, *, end_stream: bool) -> None:
        """Send content, no faster than the client takes it. Raises ClientGone if the stream was reset."""
        if self.sending_complete:
            raise ClientGone
        rest = memoryview(content)
        self.unread = len(rest)
        while rest:
            size = await self._outbound.room(self, len(rest))
            if not size:
                raise ClientGone
            part, rest = rest[:size], rest[size:]
            self._sent += size
            self._sent_in_turn += size
            self._outbound.write_data(self, part, end_stream=end_stream and not rest)
            if rest and self._sent_in_turn >= CONTENT_PER_TURN:
                self._sent_in_turn = 0
                await asyncio.sleep(0)
        self.unread = 0
        if not content and end_stream:
            self._outbound.write_data(self, b"", end_stream=True)
        self._after_sending(end_stream=end_stream)

    async def send_stored(self, chunks: AsyncIterator[bytes]) -> int:
        """Send content of the store, but not its end; return how many bytes. Raises ClientGone and StoreError.

        A chunk is loaded once the client takes content, and for few streams of the connection at a time: if the client
        stops reading, all that was loaded stays in memory.
        """
        sent = self._sent
        while await self._send_next(chunks):
            continue
        return self._sent - sent

    async def _send_next(self, chunks: AsyncIterator[bytes]) -> bool:
        """Load and send the next chunk; return false if there is none."""
        await self._wait_to_load()
        try:
            chunk = await anext(chunks, b"")
            if len(chunk) <= self.window.size:
                await self.send_content(chunk, end_stream=False)
                return bool(chunk)
        finally:
            self._owner.loading.release()
        # not any earlier: with a small window of its own, the stream would keep others from loading
        await self.send_content(chunk, end_stream=False)
        return True

    async def _wait_to_load(self) -> None:
        """Wait until the client takes content and few other streams have a chunk. Raises ClientGone."""
        while True:
            if not self._outbound.has_room(self):
                self.unread = STORED_CHUNK
                if not await self._outbound.room(self, 1):
                    raise ClientGone
                self.unread = 0
            self._waits_to_load = True
            try:
                await self._owner.loading.acquire()
            finally:
                self._waits_to_load = False
            if self._outbound.has_room(self) or self.sending_complete:
                return
            self._owner.loading.release()  # the others have used up the connection's window

    def _after_sending(self, *, end_stream: bool) -> None:
        if end_stream:
            self.move(Event.RESPONSE_ENDED)
            self._on_response_end(self)

    # ---- the end

    def end(self, why: str) -> None:
        """End a stream that was reset, or whose connection is lost."""
        self.move(Event.RESET)
        self.deadline = inf
        if self.upload is not None and not self.upload.complete:
            self.upload.fail(why)
        self._outbound.wake(self)
        response, self.response = self.response, None
        if response is not None:
            response.client_lost()
