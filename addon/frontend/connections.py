"""All client connections of one listener: how many there may be, their deadlines, and how they end."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable, Iterator
from math import inf
from typing import TYPE_CHECKING, Protocol

from addon.frontend.connection_limits import ConnectionLimits, address_of
from addon.frontend.connection_shares import ConnectionShare
from addon.frontend.exchange_marks import NO_MARKS
from addon.origin.exchange_times import ExchangeTimes
from addon.runtime.access_log.file import AccessLog
from addon.runtime.access_log.logged_response import LoggedResponse, Sending
from addon.runtime.metrics.responses import ResponseMetrics
from addon.runtime.recent_exchanges import RecentExchanges
from cache.http.host_table import HostTable
from cache.http.messages import Request

if TYPE_CHECKING:
    from addon.runtime.traces import Traces

HEAD_TIMEOUT = 10.0
"""Seconds for a request head, for a TLS handshake, and for the first byte in a tunnel."""

IDLE_TIMEOUT = 75.0
"""Seconds that a connection may be idle between two requests."""

STALL_TIMEOUT = 60.0
"""Seconds within which a client must read, or send, MIN_BYTES of content."""

MIN_BYTES = 30_000

LINGER = 2.0
"""Seconds that a client may go on sending after a response that ends the connection."""


class ClientConnection(Protocol):
    """A connection of a client, whatever protocol is spoken on it."""

    deadline: float
    """By the event loop's clock; infinite while the client has nothing to do."""

    def expire(self) -> None:
        """End, since the deadline has passed."""

    def finish(self) -> None:
        """End as soon as the response under way is sent."""

    def end_if_idle(self) -> None:
        """End if the client has not used the connection lately, and no request has arrived."""

    def abort(self) -> None:
        """End at once."""


class LoggedClient(Protocol):
    """A client whose response is logged."""

    began: float
    """The time at which the head of the request under way was there, in seconds since the epoch."""

    @property
    def transport(self) -> asyncio.Transport:
        """The connection to it."""

    def client_address(self) -> str:
        """Return its address."""


class Connections:
    """The open connections. Everything here belongs to the event loop.

    Attributes:
        accepting: Connections stay open for further requests; False once the listener is being closed.
        is_retiring: Connections end one after another, since others accept clients in place of this listener.
        is_out_of_time: They should end soon.
        now: The event loop's clock, read once a second.
        limits: How many connections there may be.
        log: The access log, if there is one.
        clock: Returns seconds since the epoch.
        recent: The recent exchanges, if they are kept.
        site_names: The names of the sites of an edge, by host.
        metrics: Counts the responses.
        marks: Fields that each response has for itself.
        traces: Makes a span of each request, if the operator wants that.
        share: Tells other workers how many connections there are, if there are other workers.
    """

    def __init__(
        self,
        limits: ConnectionLimits,
        clock: Callable[[], float],
        log: AccessLog | None = None,
        each_second: Callable[[], None] = lambda: None,
    ) -> None:
        """Start without connections; call `each_second` once a second while clients are served."""
        self.accepting = True
        self.now = 0.0
        self.limits = limits
        self.log = log
        self.clock = clock
        self.site_names = HostTable[str]()
        self.metrics = ResponseMetrics()
        self.recent: RecentExchanges | None = None
        self.marks = NO_MARKS
        self.traces: Traces | None = None
        self.share: ConnectionShare | None = None
        self._each_second = each_second
        self._open: set[ClientConnection] = set()
        self._emptied = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self.is_retiring = self.is_out_of_time = False
        self._grace_ends = self._time_ends = inf

    def __contains__(self, connection: ClientConnection) -> bool:
        """Return whether a connection is watched here."""
        return connection in self._open

    def __iter__(self) -> Iterator[ClientConnection]:
        """Iterate over the open connections."""
        return iter(self._open)

    def __len__(self) -> int:
        """Return how many connections are open."""
        return len(self._open)

    def add(self, connection: ClientConnection) -> None:
        """Watch the deadline of a connection, and end it when the listener closes."""
        self._open.add(connection)

    def discard(self, connection: ClientConnection) -> None:
        """Stop watching a connection."""
        self._open.discard(connection)
        if self.share is not None:
            self.share.publish(len(self._open))
        if not self._open:
            self._emptied.set()

    def note(self, client: LoggedClient, response: LoggedResponse, upstream: ExchangeTimes | None = None) -> None:
        """Count and log the response to the request under way. `upstream`: how long the origin took."""
        self.note_sent(
            response, client.client_address(), began=client.began, transport=client.transport, upstream=upstream
        )

    def note_sent(
        self,
        response: LoggedResponse,
        client: str,
        *,
        began: float | None = None,
        transport: asyncio.BaseTransport | None = None,
        upstream: ExchangeTimes | None = None,
    ) -> None:
        """Count a response that was sent, write it to the access log, and keep it among the recent exchanges.

        Args:
            response: The response.
            client: The address of the client.
            began: When the request's head was there, in seconds since the epoch.
            transport: The client's connection.
            upstream: How long the origin took.
        """
        now = self.clock()
        seconds = 0.0 if began is None else max(0.0, now - began)
        site = self.site_of(response.request.host) if response.request is not None else ""
        self.metrics.note(response, site, seconds, upstream)
        sending = Sending(now, client, seconds, upstream, transport, id=self.marks.id_of(response.request))
        if self.traces is not None:
            self.traces.end(response, sending, site)
        if self.recent is not None:
            self.recent.note(response, sending, site)
        if self.log is not None:
            self.log.note_response(response, sending, site)

    def marked(self, request: Request, transport: asyncio.BaseTransport) -> Request:
        """Return a request from a connection with its id and its trace, if requests have these."""
        if self.marks.request_id:
            request = self.marks.request(request, trusted=address_of(transport) in self.limits.trusted)
        return request if self.traces is None else self.traces.begin(request)

    def site_of(self, host: str) -> str:
        """Return the name of the site of a host; empty if there is none."""
        return self.site_names.find(host) or ""

    def start(self) -> None:
        """Start the timer that looks for passed deadlines once a second."""
        loop = asyncio.get_running_loop()
        self.now = loop.time()
        self._timer = loop.call_later(1.0, self._tick)

    def _tick(self) -> None:
        self.start()
        for connection in [each for each in self._open if each.deadline < self.now]:
            connection.expire()
        if self.is_retiring:
            self._end_some()
        self._each_second()

    async def drain(self) -> None:
        """Answer no new requests, and wait until every connection has ended: idle ones now, the others later."""
        self.finish()
        await self._all_ended()

    def finish(self) -> None:
        """End every connection as soon as no response is under way on it."""
        self.accepting = False
        for connection in list(self._open):
            connection.finish()

    async def retire(self, grace: float, seconds: float) -> None:
        """End each connection at a moment when no request of its client is lost; wait until all have ended.

        Args:
            grace: Seconds that an idle connection stays open: a request may be on its way to it (RFC 9112 §9.5).
            seconds: Seconds until connections end that are in use all the time: each as soon as no request is under
                way, and LINGER seconds later in any case.
        """
        self.accepting, self.is_retiring = False, True
        self._grace_ends, self._time_ends = self.now + grace, self.now + seconds
        await self._all_ended()

    def _end_some(self) -> None:
        self.is_out_of_time = self.now >= self._time_ends
        if self.now >= self._time_ends + LINGER:
            self.finish()
        elif self.is_out_of_time or self.now >= self._grace_ends:
            for connection in list(self._open):
                connection.end_if_idle()

    def close(self) -> None:
        """End every connection at once."""
        self.accepting = False
        for connection in list(self._open):
            connection.abort()
        if self._timer is not None:
            self._timer.cancel()
        self._each_second()

    async def _all_ended(self) -> None:
        # the event is also set between the end of a tunnel and the start of the TLS connection in its place
        while self._open:
            self._emptied.clear()
            await self._emptied.wait()


def has_unread_input(transport: asyncio.BaseTransport) -> bool:
    """Return whether bytes of the client, or its end, wait in the socket."""
    socket = transport.get_extra_info("socket")
    if socket is None:  # a tunnel inside another connection, which takes its input at once
        return False
    look = select.poll()
    look.register(socket.fileno(), select.POLLIN)
    return bool(look.poll(0))
