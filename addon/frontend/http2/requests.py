"""The requests of one HTTP/2 connection: finds out what a header block asks for, and has it answered.

Usually a header block is a known one, and a hot response answers it at once, without a stream. Every other request
becomes a stream, which the handler answers in a task.
"""

from __future__ import annotations

from functools import partial
from typing import cast

from addon.frontend.http1.request_head import MalformedRequest, RefusedRequest
from addon.frontend.http1.request_target import RequestTargets
from addon.frontend.http2 import limits
from addon.frontend.http2.handler import Http2Handler
from addon.frontend.http2.head_reader import HeadReader
from addon.frontend.http2.header_block import OversizedHeaderList
from addon.frontend.http2.hot_answers import Http2HotResponse
from addon.frontend.http2.hot_sender import HotSender
from addon.frontend.http2.request_fields import Http2Head
from addon.frontend.http2.streams import Connection, Streams
from addon.frontend.http2.tunnels import Answering, Tunnels
from addon.origin.http2 import frames
from addon.origin.http2.faults import ConnectionFault, ErrorCode, over_budget
from addon.origin.http2.frame_reader import Frame
from addon.origin.http2.settings import PeerSettings
from cache.http.messages import Request
from cache.policy.reasons import Disconnected
from cache.rules.streams import asks_for_stream


class Requests:
    """Takes the header blocks that the client sends.

    Attributes:
        work: Units of work that are left in this turn.
    """

    def __init__(
        self,
        handler: Http2Handler,
        targets: RequestTargets,
        connection: Connection,
        streams: Streams,
        settings: PeerSettings,
        budgets: limits.Budgets,
    ) -> None:
        self.work = 0
        self._handler, self._fast_path = handler, handler.fast_path
        self._tunnels = Tunnels(handler)
        self._targets, self._connection = targets, connection
        self._streams, self._budgets = streams, budgets
        self._hot = HotSender(handler.fast_path, connection.outbound, settings, budgets, handler.frontend.sites)
        secure = connection.outbound.transport.get_extra_info("ssl_object") is not None
        self._heads = HeadReader(
            targets.prefix,
            handler.head_limits,
            self._spend,
            secure=secure,
            forwarding=handler.frontend.forwarding,
            peer=connection.peer_address(),
        )

    def _spend(self, work: int) -> None:
        self.work -= work

    def take_headers(self, frame: Frame) -> None:
        """Take a header block: a request, or the trailers of one. Raises ConnectionFault."""
        streams = self._streams
        number, block, ended = frame.stream, frame.payload, bool(frame.flags & frames.END_STREAM)
        if number <= streams.last:
            self._take_trailers(number, block, ended=ended)
            return
        if not number & 1:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "A client's stream has an even number.")
        streams.last = number
        head = self._heads.known.get(block)
        if head is not None and ended and self._connection.accepts_requests:
            hot = self._fast_path.hot.get(head.key)
            address = partial(self._address_of, head)
            if hot is not None and self._hot.send(number, cast("Http2HotResponse", hot), address):
                self.work -= len(hot.content) // frames.MAX_FRAME
                return
        try:
            self._answer(number, head or self._heads.head(block), ended=ended)
        except MalformedRequest as fault:
            self._refuse(number, fault, ended=ended)
            self._budgets.count_reset(self._connection.now())
            if isinstance(fault, OversizedHeaderList):
                raise over_budget(Disconnected.HTTP2_HEADER_LIST, str(fault)) from fault

    def _take_trailers(self, number: int, block: bytes, *, ended: bool) -> None:
        malformed = False
        try:
            self._heads.read_trailers(block, ended=ended)
        except OversizedHeaderList as oversized:
            raise over_budget(Disconnected.HTTP2_HEADER_LIST, str(oversized)) from oversized
        except MalformedRequest:
            malformed = True
        self._streams.end_content(number, malformed=malformed)

    def _answer(self, number: int, known: Http2Head, *, ended: bool) -> None:
        """Answer a request, or start to. Raises MalformedRequest and ConnectionFault."""
        if not self._connection.accepts_requests:
            return  # RFC 9113 §6.8: the client will send it on another connection
        if not self._streams.has_room(number, known.size):
            return
        if known.asks_for_tunnel:
            self._answer_by_tunnel(number, known, ended=ended)
            return
        head = known.head_of(ended=ended)
        try:
            request = self._targets.request(head)
        except RefusedRequest as refused:
            refuse = partial(self._handler.refuse_by_rule, head, refused, self._targets)
            self._respond(number, refused.request, known, refuse, ended=ended)
            return
        if ended:
            hot = self._fast_path.hit(Http2HotResponse, known.key, request)
            if hot is not None and self._hot.send(number, hot, partial(self._address_of, known), counted=True):
                self.work -= len(hot.content) // frames.MAX_FRAME
                return
        self._respond(number, request, known, partial(self._handler.answer, request), ended=ended)

    def _address_of(self, known: Http2Head) -> str:
        """Return the address of the client that has sent a head."""
        client = known.head.client
        return (client.address if client is not None else "") or self._connection.peer_address()

    def _answer_by_tunnel(self, number: int, known: Http2Head, *, ended: bool) -> None:
        """Have a request answered that asks for a tunnel. Raises MalformedRequest."""
        answering = self._tunnels.answering(known, self._targets)
        stream = self._streams.open(number, known.size, ended=ended)
        stream.address = self._address_of(known)
        stream.is_tunnel = True
        stream.restart_deadline()
        self._streams.responses.add(stream, partial(answering, stream, stream.upload))

    def _respond(self, number: int, request: Request, known: Http2Head, answering: Answering, *, ended: bool) -> None:
        """Have a request answered in a task."""
        stream = self._streams.open(number, known.size, known.length, ended=ended)
        stream.address = self._address_of(known)
        stream.may_be_silent = asks_for_stream(request)
        content = stream.upload if request.has_content else None
        shareable = self._fast_path.is_shareable(request)
        self._streams.responses.add(stream, partial(answering, stream, content), shareable=shareable)

    def _refuse(self, number: int, fault: MalformedRequest, *, ended: bool) -> None:
        """Tell the client what is wrong with its request."""
        if self._connection.accepts_requests and self._streams.has_room(number):
            stream = self._streams.open(number, ended=ended)
            self.work -= limits.WORK_PER_REFUSAL
            self._streams.responses.begin(stream, partial(self._handler.refuse, stream, fault))
