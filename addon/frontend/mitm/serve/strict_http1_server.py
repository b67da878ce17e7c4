"""HTTP/1 with a client, by mitmproxy's reader, behind our own checks.

mitmproxy reads heads of any size, for any time, and accepts some that two parsers could read in two ways. So our own
parser reads each head first, and mitmproxy's reader gets only what that accepts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from math import inf

from mitmproxy import http
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import (
    Http1Server,
    HttpEvent,
    HTTPMode,
    RequestHeaders,
    ResponseHeaders,
    ResponseTrailers,
)
from mitmproxy.proxy.layers.http._base import ReceiveHttp

from addon.frontend.connections import HEAD_TIMEOUT, IDLE_TIMEOUT, LINGER, MIN_BYTES, STALL_TIMEOUT
from addon.frontend.http1.request_head import EMPTY_LINES, MalformedRequest, RequestHead, end_of_head, parse
from addon.frontend.http1.request_target import ForwardProxyTargets, RequestTargets, TunnelTargets
from addon.frontend.http1.response_head import WITHOUT_CONTENT, Framing, head_bytes
from addon.frontend.mitm.body_reader import HasBodyReader
from addon.frontend.mitm.deadlines import Deadline
from addon.frontend.mitm.serve.served_connections import ServedConnections
from cache.http.field_table import FRAMING
from cache.http.fields import tokens

MAX_AHEAD = 1_048_576
"""Bytes that a client may send during a response, before its connection is closed. mitmproxy cannot pause reading."""


class StrictHttp1Server(HasBodyReader, Http1Server):
    """A client's connection."""

    def __init__(
        self, context: Context, mode: HTTPMode, served: ServedConnections, clock: Callable[[], float] | None = None
    ) -> None:
        """Read requests as a connection in this mode has them. `clock` returns seconds."""
        super().__init__(context)
        self._mode = mode
        self._served = served
        self._clock = clock or asyncio.get_running_loop().time
        self._deadline = Deadline()
        self._phase: tuple[str, int] = ("", 0)
        self._since = 0.0
        self._received = 0

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        match event:
            case events.Wakeup():
                if self._deadline.woken(self._clock()):
                    yield from self._expire()
            case events.DataReceived() if self.state == self.done:
                return  # RFC 9112 §9.6: what follows the last request is dropped
            case events.DataReceived(data=data):
                self._received += len(data)
                yield from super()._handle_event(event)
                if len(self.buf) > MAX_AHEAD and self.state == self.wait:
                    yield commands.CloseConnection(self.conn)
                    self.state = self.done
            case _:
                yield from super()._handle_event(event)
        yield from self._watch()

    # ---- time

    def _watch(self) -> CommandGenerator[None]:
        """Set the deadline for what the client has to do next."""
        now, phase = self._clock(), self._present_phase()
        if phase != self._phase:
            self._phase, self._since = phase, now
        yield from self._deadline.set(self._since + _TIMEOUTS[phase[0]], now)

    def _present_phase(self) -> tuple[str, int]:
        """Return what the client has to do, with a number that tells one such time from the next."""
        if self.state == self.read_headers:
            return ("head" if self.buf else "idle"), self.stream_id
        if self.state == self.read_body and not self.request_done:
            return "content", self._received // MIN_BYTES
        return ("closing" if self.state == self.done else ""), 0

    def _expire(self) -> CommandGenerator[None]:
        if self._phase[0] == "head":
            yield from self._refuse(MalformedRequest("The request head did not come in time.", 408))
        else:
            yield commands.CloseConnection(self.conn)
            self.state = self.done

    # ---- heads

    def read_headers(self, event: events.ConnectionEvent) -> CommandGenerator[None]:
        """Give mitmproxy's reader the next head, if it is one that only one reading has."""
        if not isinstance(event, events.DataReceived):
            yield from super().read_headers(event)
            return
        data = bytes(self.buf)
        if empty := EMPTY_LINES.match(data):
            self.buf.maybe_extract_at_most(empty.end())
            data = data[empty.end() :]
        try:
            end = end_of_head(data, self._served.head_limits)
            if not end:
                return
            head = parse(data[:end])
            self._check(head)
        except MalformedRequest as fault:
            yield from self._refuse(fault)
            return
        for command in super().read_headers(event):
            if isinstance(command, ReceiveHttp) and isinstance(command.event, RequestHeaders):
                _normalise(command.event.request, head)
                if self._mode is HTTPMode.transparent:  # in the other modes mitmproxy does it
                    command.event.request.authority = ""  # origins get the origin form (RFC 9112 §3.2.1)
            yield command

    def _check(self, head: RequestHead) -> None:
        """Raise MalformedRequest for a target that does not fit this kind of connection."""
        targets: RequestTargets = ForwardProxyTargets(self._served.page)
        if self._mode is HTTPMode.transparent:  # mitmproxy knows where it goes
            targets = TunnelTargets.of("https", "localhost", 443, None)
        if head.method == "CONNECT":
            targets.tunnel_to(head)
        else:
            targets.request(head)

    def _refuse(self, fault: MalformedRequest) -> CommandGenerator[None]:
        """Tell the client what is wrong with its request, and end: no other reader would know where the next begins."""
        reply = fault.reply(self._served.service.errors)
        if isinstance(reply.content, bytes):
            yield commands.SendData(self.conn, head_bytes(reply.head, Framing(close=True)) + reply.content)
        # half of it at first: unread input would make the system reset the connection before the client reads this
        yield commands.CloseTcpConnection(self.conn, half_close=True)
        self.state = self.done

    # ---- responses

    def send(self, event: HttpEvent) -> CommandGenerator[None]:
        """Send a part of a response, framed for this connection whatever the origin's was."""
        if isinstance(event, ResponseTrailers):
            return  # mitmproxy cannot send them over HTTP/1, and a script may have added some
        if isinstance(event, ResponseHeaders) and event.response.status_code >= 200 and self.request is not None:
            event = replace(event, response=event.response.copy())
            self._frame(event.response, self.request)
        yield from super().send(event)

    def _frame(self, response: http.Response, request: http.Request) -> None:
        if request.method == "CONNECT" and response.status_code < 300:
            return  # RFC 9112 §6.3
        response.http_version = "HTTP/1.1"
        has_content = request.method != "HEAD" and response.status_code not in WITHOUT_CONTENT
        if has_content and request.http_version == "HTTP/1.1" and not FRAMING & {*map(str.lower, response.headers)}:
            response.headers["transfer-encoding"] = "chunked"  # or the connection would have to end
        if not self._served.keep:
            response.headers["connection"] = "close"  # RFC 9112 §9.6


_TIMEOUTS = {"head": HEAD_TIMEOUT, "idle": IDLE_TIMEOUT, "content": STALL_TIMEOUT, "closing": LINGER, "": inf}
"""Seconds, by phase of a connection."""


_UPGRADE = ("upgrade", "http2-settings")
"""Fields by which a client offers another protocol."""


def _normalise(request: http.Request, head: RequestHead) -> None:
    if request.authority and request.method != "CONNECT":
        request.headers["host"] = request.authority  # RFC 9112 §3.2.2: the target counts
    if not head.asks_for_web_socket:  # no other protocol is switched to (RFC 9110 §7.8)
        kept = [option for option in tokens(head.fields.get("connection")) if option not in _UPGRADE]
        for name in ("connection", *_UPGRADE):
            request.headers.pop(name, None)
        if kept:
            request.headers["connection"] = ", ".join(kept)
