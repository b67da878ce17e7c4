"""HTTP/1 with an origin, by mitmproxy's reader, behind the checks and the time limits of our own client.

mitmproxy waits for an origin without a limit, reads heads of any size, and takes an interim response for the final one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator, Layer
from mitmproxy.proxy.layers.http import (
    ErrorCode,
    Http1Client,
    HttpClient,
    HttpEvent,
    RequestEndOfMessage,
    RequestHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._base import ReceiveHttp

from addon.frontend.mitm.body_reader import HasBodyReader
from addon.frontend.mitm.deadlines import Deadline
from addon.frontend.mitm.failures import named
from addon.frontend.mitm.messages import fields_of, head_of_request
from addon.origin import FailureKind
from addon.origin.options import OriginOptions
from addon.origin.response_head import END_OF_HEAD, MalformedResponse, parse_head
from addon.origin.time_limits import TimeLimits
from cache.http.messages import Response
from cache.rules.selection import asks_for_web_socket
from cache.rules.streams import held_back

SWITCHING_PROTOCOLS = 101


@dataclass(slots=True)
class ArrivedPart:
    """The part of a response that has arrived (see `Progress`)."""

    head: Response | None = None
    received: int = 0
    has_length: bool = False
    interim_count: int = 0
    held_back: float = 0.0


class StrictHttp1Client(HasBodyReader, Http1Client):
    """A connection to an origin."""

    def __init__(
        self,
        context: Context,
        options: OriginOptions,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Obey these options, except `lenient`: a lenient reading may not be mitmproxy's. `clock` returns seconds."""
        super().__init__(context)
        self._clock = clock or asyncio.get_running_loop().time
        self._deadline = Deadline()
        self._arrived = ArrivedPart()
        self._options = options
        self._limits: TimeLimits | None = None

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, events.Wakeup):
            if self._deadline.woken(self._clock()) and self._limits is not None:
                yield from self._fail(self._limits.exceeded(), FailureKind.CONNECTION_READ_TIMEOUT)
        elif self.state != self.done:
            if isinstance(event, events.DataReceived):
                self._arrived.received += len(event.data)
            yield from super()._handle_event(event)
        yield from self._watch()

    def _watch(self) -> CommandGenerator[None]:
        """Set the deadline for what the origin has to do next."""
        now, due = self._clock(), inf
        if self.state not in (self.read_headers, self.read_body) or self.request is None:
            self._limits = None
        elif self._limits is not None:
            # content that is streamed comes as fast as the client reads it
            streamed = self.response is not None and bool(self.response.stream)
            due = inf if streamed else self._limits.next_deadline(now)
        yield from self._deadline.set(due, now)

    def send(self, event: HttpEvent) -> CommandGenerator[None]:
        """Send a part of a request. The time of the origin begins once it has all of it."""
        if isinstance(event, RequestHeaders):
            self._arrived = ArrivedPart(held_back=held_back(head_of_request(event.request)))
            self._limits = None
        yield from super().send(event)
        if isinstance(event, RequestEndOfMessage) and self.request is not None:
            self._limits = TimeLimits(self._arrived, self._options)

    def read_headers(self, event: events.ConnectionEvent) -> CommandGenerator[None]:
        """Give mitmproxy's reader the head of the final response, if it is one that only one reading has."""
        if isinstance(event, events.DataReceived) and self.request is not None:
            try:
                final = self._skip_interim()
            except MalformedResponse as fault:
                yield from self._fail(str(fault), fault.kind)
                return
            if not final:
                return
        yield from super().read_headers(event)

    def _skip_interim(self) -> bool:
        """Remove interim responses from the buffer; return whether a final head is there. Raises MalformedResponse."""
        while end := END_OF_HEAD.search(data := bytes(self.buf)):
            head = parse_head(data[: end.end()], self._options)
            if head.response.status == SWITCHING_PROTOCOLS:
                self._check_switch()
            elif head.response.status < 200:
                self.buf.maybe_extract_at_most(end.end())
                self._arrived.interim_count += 1
                if self._arrived.interim_count > self._options.max_interim:
                    raise MalformedResponse(f"sent more than {self._options.max_interim} interim responses")
                continue
            self._arrived.head, self._arrived.has_length = head.response, head.length is not None
            return True
        if len(self.buf) > self._options.max_head:
            sentence = f"sent a response head above {self._options.max_head} bytes (limits.max_head)"
            raise MalformedResponse(sentence, FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE)
        return False

    def _check_switch(self) -> None:
        if self.request is None or not asks_for_web_socket(fields_of(self.request.headers)):
            raise MalformedResponse("switched to a protocol that was not asked for")

    def _fail(self, predicate: str, kind: FailureKind) -> CommandGenerator[None]:
        """Give up the connection: `predicate` completes a sentence about the origin."""
        self.state = self.done
        yield commands.CloseConnection(self.conn)
        if self.stream_id is not None:
            message = named(predicate, kind)
            yield ReceiveHttp(ResponseProtocolError(self.stream_id, message, ErrorCode.GENERIC_SERVER_ERROR))


def with_strict_reader(connection: Layer, options: OriginOptions) -> Layer:
    """Return the layers of a connection to an origin that has just been opened, with a strict reader for HTTP/1."""
    if isinstance(connection, HttpClient):
        return _strict(connection, options) if type(connection.child_layer) is Http1Client else connection
    if hasattr(connection, "child_layer") and isinstance(connection.child_layer, Layer):
        connection.child_layer = with_strict_reader(connection.child_layer, options)
    return connection


def _strict(replaced: HttpClient, options: OriginOptions) -> StrictHttp1Client:
    strict = StrictHttp1Client(replaced.context, options)
    strict.state = strict.read_headers  # as after Start, which the other one has had
    return strict
