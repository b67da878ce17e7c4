"""One client connection: requests in order, answers in order.

The usual case is short: the octets that arrive are a head that is known, and its answer is ready. Everything else is
parsed, and answered by the responder; further requests wait meanwhile, most of them in the client's socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from math import inf
from typing import cast

from addon.frontend.connect.tunnel import ConnectTunnel
from addon.frontend.http1.connection_base import ClientSide
from addon.frontend.http1.direct_fetch import DirectFetch
from addon.frontend.http1.frontend import HEAD_TIMEOUT, IDLE_TIMEOUT, MIN_OCTETS, Door
from addon.frontend.http1.handler import answer, answer_passage
from addon.frontend.http1.hot_response import HotResponse
from addon.frontend.http1.request_body import RequestBody
from addon.frontend.http1.request_head import (
    EMPTY_LINES,
    MAX_SECTION,
    MalformedRequest,
    RequestHead,
    end_of_head,
    parse,
)
from addon.frontend.http1.request_target import RequestTargets
from addon.frontend.http1.send import write_together
from addon.runtime.access_log import request_line
from cache.http.messages import Request

logger = logging.getLogger(__name__)


class Conversation(ClientSide):
    """A client that speaks HTTP/1, in clear or inside TLS that was taken off."""

    def __init__(self, door: Door, destination: RequestTargets) -> None:
        super().__init__(door)
        self._given_up = False
        """The transport has another protocol now."""
        self._sends_no_more = False
        self._answering: asyncio.Task[bool] | DirectFetch | None = None
        self._buffer = b""
        self._destination, self._prefix = destination, destination.prefix

    # ---- what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._door.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Answer at once what is known; take in the rest."""
        if self._idle:
            known = self._door.pool.get(self._prefix + data)
            if known is not None and self._send_ready(known):
                return
        self._take(data)

    def eof_received(self) -> bool:
        """Note that the client sends no more, though it may still read; return whether the connection stays open."""
        self._sends_no_more, self._idle = True, False
        if self._upload is not None:
            self._end_of_requests()
        return self._answering is not None or self._paused

    def connection_lost(self, _exc: Exception | None) -> None:
        """Take the end of the connection."""
        self._forget()
        if isinstance(self._answering, DirectFetch):
            self._answering.leave()
        elif self._answering is not None and self._alone:
            self._answering.cancel()

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        self._wake()
        if self._answering is None:
            self._next(fresh=True)
        else:
            self._await_client()

    def expire(self) -> None:
        """End a connection whose client was too slow; an answer that it does not read is cut."""
        if self.transport.is_closing():
            self.cut()  # what is left to read was there long enough
        elif self._answering is None and not self._paused:
            if self._buffer and not self._leaving:
                self._refuse(MalformedRequest("The request did not arrive in time.", 408))
            self.transport.close()
        elif self._upload is not None and not self._paused and self._upload.keeps_up(self._rate_mark + MIN_OCTETS):
            self._await_client()
        else:
            self.cut()

    def shut(self) -> None:
        """End as soon as the present answer is sent."""
        self._leaving, self._idle = True, False
        if self._answering is None and not self._paused:
            self.transport.close()

    def _send_ready(self, known: HotResponse) -> bool:
        """Send an answer if it is still good; tell whether it was."""
        door = self._door
        now = door.clock()
        if not door.open or not door.is_good(known, now):
            return False
        self.deadline = door.now + IDLE_TIMEOUT
        write_together(self.transport, known.octets(now), known.content)
        door.sent(known, now, self._client or self.client())
        return True

    def _take(self, data: bytes) -> None:
        if self._upload is not None:
            try:
                data = self._upload.feed(data)
            except MalformedRequest as fault:
                self._upload.fail(str(fault))
                self._leaving = True
        if self._leaving:
            return  # RFC 9112 §9.6: what follows the last request is read past
        self._buffer += data
        if self._answering is None and not self._paused:
            self._next(fresh=self._idle)
        elif len(self._buffer) > MAX_SECTION:
            self.transport.pause_reading()

    def _next(self, *, fresh: bool) -> None:
        """Answer what has arrived, as far as that can be done at once; `fresh` begins the time for what is left."""
        try:
            while self._buffer and not (self._leaving or self._paused or self._answering):
                if self._buffer.startswith(b"\r\n"):  # RFC 9112 §2.2: empty lines before a request
                    self._buffer = EMPTY_LINES.sub(b"", self._buffer, 1)
                    continue
                end = end_of_head(self._buffer)
                if not end:
                    break
                octets, self._buffer = self._buffer[:end], self._buffer[end:]
                fresh = True
                self._begin(octets)
        except MalformedRequest as fault:
            self._refuse(fault)
        if self._answering is None and not self._paused:
            self._rest(fresh=fresh)

    def _rest(self, *, fresh: bool) -> None:
        """Wait for the next request, or for the rest of one, or end."""
        if self._leaving or self._sends_no_more:
            if not self._given_up:
                self._depart()
            return
        self._idle = not self._buffer
        if fresh:
            self.deadline = self._door.now + (HEAD_TIMEOUT if self._buffer else IDLE_TIMEOUT)
        self.transport.resume_reading()

    def _begin(self, octets: bytes) -> None:
        """Answer one request, or begin to. Raises Malformed."""
        door = self._door
        known = door.pool.get(self._prefix + octets)
        if known is not None and self._send_ready(known):
            return
        head = parse(octets)
        if head.method == "CONNECT":
            self._open_tunnel(head)
            return
        request = self._destination.request(head)
        if head.asks_for_web_socket:
            transport, rest = self._give_up()
            door.hand_over(transport, octets + rest, self._destination.mode)
            return
        if head.persistent and not head.has_content:
            ready = door.ready(self._prefix + octets, request, door.clock(), self)
            if isinstance(ready, DirectFetch):
                self._idle, self._answering, self.deadline, self._alone = False, ready, inf, not ready.shared
                ready.send()
                return
            if ready is not None and self._send_ready(ready):
                return
        self._answer(head, request)

    def _open_tunnel(self, head: RequestHead) -> None:
        host, port = self._destination.tunnel_to(head)
        asked = request_line(head.method, head.target, head.version)
        opened = not self._door.leaves_alone(host)
        refused = self._door.service.refused_tunnel(host, port, head.fields, opened=opened)
        if refused is not None:
            self._end_with(refused, asked)
        else:
            ConnectTunnel(self._door, host, port, asked).take(*self._give_up())

    def _give_up(self) -> tuple[asyncio.Transport, bytes]:
        """Let go of the transport, for something else to be its protocol; return it, and what has arrived."""
        self._door.connections.discard(self)
        self._given_up = self._leaving = True
        self._idle, self.deadline = False, inf
        rest, self._buffer = self._buffer, b""
        return self.transport, rest

    def _answer(self, head: RequestHead, request: Request) -> None:
        self._upload = None
        if head.has_content:
            self._upload = RequestBody(head.length, self.transport)
            rest, self._buffer = self._buffer, b""
            self._buffer = self._upload.feed(rest)
        self._idle = False
        self._await_client()
        self._alone = self._door.is_for_one(request)
        self._run(answer(self, self._door, head, request, self._upload))

    def _run(self, answering: Coroutine[None, None, bool]) -> None:
        task = asyncio.get_running_loop().create_task(answering)
        self._answering = None if task.done() else task
        if task.done():  # it began at once, and never had to wait
            self._note(task)
        else:
            task.add_done_callback(self._answered)

    def passed(self, head: bytes, content: bytes, line: Callable[[], str]) -> None:
        """Send an answer that went through without ceremony."""
        self._answering = None
        if self.transport.is_closing():
            return
        write_together(self.transport, head, content)
        if self._door.log is not None:
            self._door.log.note(self._door.clock(), self.client(), line())
        self._next(fresh=True)

    def arrived(self, fetch: DirectFetch) -> None:
        """Answer by way of the fetcher: the origin's answer has begun, or will never come."""
        self._run(answer_passage(self, self._door, fetch))
        if self._answering is None:
            self._next(fresh=True)

    def _answered(self, task: asyncio.Task[bool]) -> None:
        self._answering = None
        self._note(task)
        self._next(fresh=True)

    def _note(self, task: asyncio.Task[bool]) -> None:
        """Note how an answer ended: whether another one may follow it."""
        if task.cancelled():  # the client is gone
            self.cut()
        elif error := task.exception():
            logger.error("an answer failed", exc_info=error)
            self.cut()
        elif not task.result() or (self._upload is not None and self._upload.surplus):
            self._leaving = True
        if self._upload is not None and self._upload.complete:
            self._upload = None
