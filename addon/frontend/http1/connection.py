"""One HTTP/1 client connection: requests in order, responses in order.

Usually the bytes that arrive are a known request head, and a hot response answers it at once. Every other request is
parsed and answered by the handler; later requests wait meanwhile, mostly in the client's socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from math import inf
from typing import cast

from addon.frontend.client_gone import ClientGone
from addon.frontend.connect.tls import can_end_sending
from addon.frontend.connection_limits import address_of
from addon.frontend.connections import HEAD_TIMEOUT, IDLE_TIMEOUT, LINGER, MIN_BYTES, STALL_TIMEOUT, has_unread_input
from addon.frontend.gateway.sender import Sender
from addon.frontend.http1 import connection_state as states
from addon.frontend.http1 import request_head as heads
from addon.frontend.http1.connection_state import BETWEEN_REQUESTS, Event, State
from addon.frontend.http1.direct_fetch import ReadyFetch
from addon.frontend.http1.handler import Handler
from addon.frontend.http1.hot_response import HotResponse
from addon.frontend.http1.request_body import RequestBody
from addon.frontend.http1.request_classes import RequestClass
from addon.frontend.http1.request_head import MalformedRequest, RefusedRequest, RequestHead, end_of_head, parse
from addon.frontend.http1.request_target import RequestTargets
from addon.frontend.http1.response_head import Framing, head_bytes
from addon.frontend.http1.response_task import ResponseTask
from addon.frontend.http1.send import write_together
from addon.frontend.http1.tunnel_requests import open_tunnel
from addon.origin.exchange_times import ExchangeTimes
from addon.pipeline.reply import Reply
from addon.runtime.access_log.logged_response import UNPARSED_REQUEST, LoggedResponse
from cache.http.messages import Request, Response
from cache.rules.streams import asks_for_stream, is_stream

logger = logging.getLogger(__name__)

_READY = State.READY
UNFINISHED = "the client disconnected before its content was complete"


class Http1Connection(asyncio.Protocol):
    """A client that speaks HTTP/1, in clear text or inside TLS that was terminated here."""

    transport: asyncio.Transport

    def __init__(self, handler: Handler, targets: RequestTargets) -> None:
        self._handler, self._targets, self._prefix = handler, targets, targets.prefix
        self._frontend, self._fast_path = handler.frontend, handler.fast_path
        self._connections = handler.frontend.connections
        self.deadline = self._connections.now + IDLE_TIMEOUT
        self._state, self.began = _READY, 0.0
        self._may_start_http2 = True  # until anything else than its preface has come
        self._buffer = b""  # bytes of requests that are not answered yet
        self._input_ended = False  # the client has sent its last byte
        self._response: ResponseTask | ReadyFetch | None = None  # the response under way, in the states UNDER_WAY
        self._body: RequestBody | None = None
        self._body_mark = 0  # bytes of the request's content that had arrived when the deadline was set
        self._writable: asyncio.Future[None] | None = None
        self._ends_with_client = False  # True for a stream: a client that sends no more has probably disconnected

    def _move(self, event: Event) -> None:
        """Move to the state that follows an event, and close where that is the end."""
        before, self._state = self._state, states.MOVES[self._state][event]
        if self._state is State.CLOSING and before is not State.CLOSING:
            self._close()

    # ---- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Use this transport."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._sender = sender = Sender(address_of(transport), self._frontend.forwarding, self._prefix)
        # copied from it, since a hot response needs them without delay
        self._has_clients, self.client_address = sender.is_trusted, sender.address
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Send the hot response to a request head that is known; keep and parse any other input."""
        if self._state is _READY:
            known = self._fast_path.hot.get(self._sender.name(data) if self._has_clients else self._prefix + data)
            if known is not None and self._send_hot(known):
                return
        self._take(data)

    def eof_received(self) -> bool:
        """Note that the client sends no more; return whether the connection stays open for it to read."""
        self._input_ended = True
        if self._body is not None and self._state is not State.RELEASED:
            self._body.fail(UNFINISHED)
            self._move(Event.LAST)
        if self._ends_with_client:
            self.abort()  # a stream may be silent for long, so the client would be missed late
        return self._state in states.UNDER_WAY or self._state in states.NOT_READ

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the connection, and stop a response that is for this client only."""
        self._connections.discard(self)
        self._connections.limits.release(self.transport)
        self.deadline = inf
        response, self._response = self._response, None
        self._move(Event.RELEASE)
        if self._body is not None:
            self._body.fail(UNFINISHED)
        self._wake()
        if response is not None:
            response.client_lost()

    def pause_writing(self) -> None:
        """Answer no further request while the client does not read."""
        self._move(Event.BLOCK)
        self.deadline = self._connections.now + STALL_TIMEOUT

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        self._move(Event.UNBLOCK)
        self._wake()
        if self._state in BETWEEN_REQUESTS:
            self._answer_buffered(fresh=True)
        elif self._state in states.UNDER_WAY:
            self._restart_body_deadline()

    # ---- called by the listener, when the deadline has passed or the proxy stops

    def expire(self) -> None:
        """End a connection whose client was too slow; a response that it does not read is cut off."""
        if self.transport.is_closing():
            self.abort()  # there was time enough to read the rest
        elif self._state is State.READING:
            self._refuse(MalformedRequest("The request did not arrive in time.", 408))
        elif self._state in (State.READY, State.CLOSING):
            self.transport.close()
        elif self._state not in states.NOT_READ and self._body and self._body.keeps_up(self._body_mark + MIN_BYTES):
            self._restart_body_deadline()
        else:
            self.abort()

    def finish(self) -> None:
        """End as soon as the response under way is sent."""
        self._move(Event.LAST)

    def end_if_idle(self) -> None:
        """End if no request has arrived; the response to one that is under way ends the connection itself."""
        if self._state is _READY and not has_unread_input(self.transport):
            self.finish()

    def abort(self) -> None:
        """End at once."""
        self.transport.abort()

    # ---- requests

    def _send_hot(self, known: HotResponse, *, counted: bool = False) -> bool:
        """Send a hot response if it is still valid and the client's rate allows it; return whether it was sent."""
        fast_path = self._fast_path
        now = fast_path.clock()
        if not self._connections.accepting or not fast_path.is_valid(known, now):
            return False
        if not (counted or known.rate is None or self._frontend.sites.gates.admits(known.rate, self.client_address())):
            return False
        self.deadline = self._connections.now + IDLE_TIMEOUT
        self._may_start_http2 = False
        fast_path.write(self.transport, known, now)
        fast_path.count(known, now, self.client_address, self.transport)
        return True

    def _send_ready(self, ready: HotResponse | ReadyFetch | None, *, counted: bool = False) -> bool:
        """Send a hot response, or start a fetch; return whether one was ready, and valid."""
        if ready is None or isinstance(ready, HotResponse):
            return ready is not None and self._send_hot(ready, counted=counted)
        self._move(Event.REQUEST)
        self._response, self.deadline, self.began = ready, inf, self._connections.clock()
        ready.send()
        return True

    def _take(self, data: bytes) -> None:
        if self._body is not None:
            try:
                data = self._body.feed(data)
            except MalformedRequest as fault:
                self._body.fail(str(fault))
                self._move(Event.LAST)
        if self._state in states.NO_MORE_REQUESTS:
            return  # RFC 9112 §9.6: what follows the last request is dropped
        self._buffer += data
        if self._state in BETWEEN_REQUESTS:
            self._answer_buffered(fresh=self._state is _READY)
        elif len(self._buffer) > self._handler.head_limits.head:
            self.transport.pause_reading()

    def _answer_buffered(self, *, fresh: bool) -> None:
        """Answer requests in the buffer, between others, until one takes time. `fresh` restarts the deadline."""
        try:
            while self._buffer and self._state in BETWEEN_REQUESTS:
                if self._buffer.startswith(b"\r\n"):  # RFC 9112 §2.2: empty lines before a request
                    self._buffer, self._may_start_http2 = heads.EMPTY_LINES.sub(b"", self._buffer, 1), False
                    continue
                end = end_of_head(self._buffer, self._handler.head_limits)
                if not end:
                    break
                head, self._buffer = self._buffer[:end], self._buffer[end:]
                fresh = True
                self._answer(head)
        except MalformedRequest as fault:
            self._refuse(fault)
        except Exception:  # the caller may be an origin's connection, which others use: it must not get this
            logger.exception("a request failed")
            self.abort()
        if self._state in BETWEEN_REQUESTS:
            self._wait_for_request(fresh=fresh)

    def _wait_for_request(self, *, fresh: bool) -> None:
        """Wait for the next request or for the rest of one, or end if the client sends no more."""
        if self._input_ended:
            self._move(Event.LAST)
            return
        if self._buffer:
            self._move(Event.INPUT_LEFT)
        elif self._state is not _READY:
            self._move(Event.INPUT_DONE)
        if fresh:
            self.deadline = self._connections.now + (HEAD_TIMEOUT if self._buffer else IDLE_TIMEOUT)
        self.transport.resume_reading()

    def _answer(self, head_as_sent: bytes) -> None:
        """Answer one request, or start to. Raises MalformedRequest."""
        name = self._sender.name(head_as_sent)
        head_as_sent, prefix = self._sender.read(head_as_sent)
        if self._send_ready(self._fast_path.known(name, self, self._sender.client)):
            return
        alike = self._fast_path.classes.find(prefix, head_as_sent, self._sender.client)
        if alike is not None and self._answer_at_once(name, alike[1], alike[0]):
            return
        if head_as_sent == heads.PREFACE and self._may_start_http2 and not self.transport.get_extra_info("ssl_object"):
            self._handler.start_http2(self._targets, *self.release())
            return
        self._may_start_http2 = False  # RFC 9113 §3.3: only the first bytes are a preface, and inside TLS ALPN decides
        head = parse(head_as_sent, self._sender.client)
        if head.method == "CONNECT":
            open_tunnel(self._frontend, self, self._targets, head)
            return
        try:
            request = self._targets.request(head)
        except RefusedRequest as refused:
            self._handle(head, refused.request, refused)
            return
        if alike is None and head.persistent and not head.has_content and not head.asks_for_web_socket:
            learnt = self._fast_path.classes.learn(prefix, head_as_sent, request)
            if self._answer_at_once(name, request, learnt):
                return
        self._handle(head, request)

    def _answer_at_once(self, name: bytes, request: Request, alike: RequestClass | None) -> bool:
        """Answer a request without content, or send it to the origin, if that needs no task; return whether it does."""
        return self._send_ready(self._fast_path.prepare(name, request, alike, client=self), counted=True)

    def _handle(self, head: RequestHead, request: Request, refused: RefusedRequest | None = None) -> None:
        """Answer a request by the handler, in a task; what follows a request for WebSocket waits in the buffer."""
        web_socket, handler = head.asks_for_web_socket, self._handler
        self._body, self.began = None, self._connections.clock()
        if head.has_content:
            self._body, rest = RequestBody(head.length, self.transport), self._buffer
            self._buffer = self._body.begin(rest)
        self._move(Event.REQUEST)
        self._restart_body_deadline()
        self._ends_with_client = web_socket or asks_for_stream(request)
        shareable = refused is None and not web_socket and self._fast_path.is_shareable(request)
        if refused is not None:
            answering = handler.refuse(self, head, refused, self._body, self._targets)
        else:
            answering = handler.answer(self, head, request, self._body)
        self._run(answering, shareable=shareable)

    def _run(self, answering: Coroutine[None, None, bool], *, shareable: bool) -> None:
        """Run the handler; it returns whether another request may follow."""
        response = ResponseTask(shareable=shareable)
        if self._state is not State.RELEASED:
            self._response = response
        task = response.start(answering)
        if task.done():  # it ran at once, without having to wait
            self._response_done(task)
        else:
            task.add_done_callback(self._response_done_later)

    def _response_done_later(self, task: asyncio.Task[bool]) -> None:
        self._response_done(task)
        self._answer_buffered(fresh=True)

    def _response_done(self, task: asyncio.Task[bool]) -> None:
        """Note how a response ended, and whether another request may follow."""
        self._response, may_follow, self._ends_with_client = None, False, False
        if task.cancelled():  # the client has disconnected
            self.abort()
        elif error := task.exception():
            logger.error("a response failed", exc_info=error)
            self.abort()
        else:
            may_follow = task.result() and not (self._body is not None and self._body.surplus)
        if not may_follow:
            self._move(Event.LAST)
        if self._body is not None and self._body.complete:
            self._body = None
        self._move(Event.RESPONSE_SENT)

    def send_direct(self, head: bytes, content: bytes, logged: LoggedResponse, times: ExchangeTimes) -> None:
        """Send the response to a direct fetch, and answer the next request."""
        self._response = None
        if self.transport.is_closing():
            return
        write_together(self.transport, head, content)
        self._connections.note(self, logged, times)
        self._move(Event.RESPONSE_SENT)
        self._answer_buffered(fresh=True)

    def continue_fetch(self, fetch: ReadyFetch) -> None:
        """Answer by the handler: the response to a fetch has begun, or will never come."""
        self._run(self._handler.answer_fetch(self, fetch), shareable=fetch.shareable)
        self._answer_buffered(fresh=True)

    # ---- tunnels

    def release(self) -> tuple[asyncio.Transport, bytes]:
        """Stop being the transport's protocol; return the transport and the input that is left."""
        self._connections.discard(self)
        self._move(Event.RELEASE)
        self.deadline = inf
        rest, self._buffer = self._buffer, b""
        return self.transport, rest

    # ---- sending; the handler calls these

    def response_begins(self, head: Response) -> None:
        """Note that a response is being sent to this client: it stops when the client disconnects."""
        self._ends_with_client = is_stream(head)
        if isinstance(self._response, ResponseTask):
            self._response.keep_for_client()

    def send_interim(self, interim: Response) -> None:
        """Send an interim response (1xx)."""
        if not self.transport.is_closing():
            self.transport.write(head_bytes(interim))

    async def writable(self) -> None:
        """Wait until the client has read enough of what was written. Raises ClientGone."""
        if self._state in states.NOT_READ:
            await self.watched(asyncio.get_running_loop().create_future())
        if self.transport.is_closing():
            raise ClientGone

    async def watched(self, ready: asyncio.Future[None]) -> None:
        """Wait for `ready`, as long as the client is connected. Raises ClientGone."""
        self._writable, self.deadline = ready, self._connections.now + STALL_TIMEOUT
        await ready
        self._restart_body_deadline()
        if self.transport.is_closing():
            raise ClientGone

    def has_read(self) -> None:
        """Give the client its whole time again to read more."""
        self.deadline = self._connections.now + STALL_TIMEOUT

    def _wake(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)

    # ---- the end

    def _refuse(self, fault: MalformedRequest) -> None:
        """Tell the client what is wrong with its request, and end."""
        self.send_last(fault.reply(self._fast_path.fetcher.errors), fault.line)

    def send_last(self, reply: Reply, line: str = UNPARSED_REQUEST) -> None:
        """Send an error of this proxy's own, logged under a request line, and end."""
        if isinstance(reply.content, bytes):
            write_together(self.transport, head_bytes(reply.head, Framing(close=True)), reply.content)
            logged = reply.logged(len(reply.content), line=line)
            self._connections.note_sent(logged, self.client_address(), transport=self.transport)
        self._move(Event.LAST)

    def _close(self) -> None:
        """Close, but let a client that is still sending read the last response first (RFC 9112 §9.6)."""
        is_sending = self._body is not None and not self._body.complete
        if not is_sending or not can_end_sending(self.transport):
            self.transport.close()
            self.deadline = self._connections.now + STALL_TIMEOUT  # for the client to read what is left
        elif not self.transport.is_closing():
            self.transport.write_eof()
            self.transport.resume_reading()
            self.deadline = self._connections.now + LINGER

    def _restart_body_deadline(self) -> None:
        """Restart the time in which the client must send content, if it is sending."""
        self.deadline = inf
        if self._body is not None and not self._body.complete:
            self.deadline, self._body_mark = self._connections.now + STALL_TIMEOUT, self._body.received
