"""A direct fetch: one GET on its way to the origin and back, driven by callbacks in place of a task.

If other processes use the store, a `LeasedFetch` asks for the lease of its key before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from addon.frontend.http1.gathered_work import GatheredWork
from addon.origin import FailureKind, OriginResponse
from addon.origin.backends.health import OriginHealth
from addon.origin.connection import OriginConnection
from addon.origin.exchange import Exchange
from addon.origin.exchange_times import ExchangeTimes
from addon.origin.prepared_request import ReadyRequest, prepare_get
from addon.origin.response_buffer import SMALL_BODY_WAIT
from addon.origin.retries import Retries
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.flight import Flight
from addon.pipeline.reply import Reply
from addon.pipeline.request_context import NO_CONTEXT, without_hop_fields
from addon.pipeline.responder import Responder
from addon.runtime.access_log.logged_response import LoggedResponse
from cache.engine.decisions import UpstreamRequest
from cache.http.messages import Request, Response


class ReadyFetch(Protocol):
    """A fetch that its client's connection can start, and drive without a task."""

    @property
    def request(self) -> Request:
        """The client's request."""

    @property
    def shareable(self) -> bool:
        """True if other requests may use the response, so that it goes on when the client disconnects."""

    def send(self) -> None:
        """Send the request, or do first what has to be done before."""

    def client_lost(self) -> None:
        """Go on without the client, or stop if no other request could use the response."""

    async def reply(self, responder: Responder, /) -> Reply:
        """Return the reply, once `continue_fetch` was called."""


class DirectFetchClient(Protocol):
    """A client connection, as far as a direct fetch needs it."""

    def send_direct(self, head: bytes, content: bytes, logged: LoggedResponse, times: ExchangeTimes) -> None:
        """Send a response; `logged` describes it for the access log, and `times` the exchange with the origin."""

    def continue_fetch(self, fetch: ReadyFetch) -> None:
        """Answer by the fetcher: the response has begun, or will never come, or the client has disconnected."""

    def send_interim(self, interim: Response) -> None:
        """Send an interim response (1xx)."""

    def abort(self) -> None:
        """End the connection at once."""


class DirectFetch:
    """A GET without content that is sent on a connection that is ready for it.

    A small response is used when it is complete, any other once its head is there.
    """

    __slots__ = (
        *("_deadline", "_exchange", "_has_response", "_health", "_is_over", "_reserved", "_sent", "_unsent"),
        *("client", "fetcher", "flight", "request", "response", "sent_at", "work"),
    )

    def __init__(
        self,
        request: Request,
        sent: UpstreamRequest,
        ready: ReadyRequest,
        client: DirectFetchClient,
        *,
        fetcher: Fetcher,
        flight: Flight,
        now: float,
        work: GatheredWork,
    ) -> None:
        """Prepare to send a request; `send` sends it.

        Args:
            request: The client's request.
            sent: The request that goes to the origin.
            ready: Its bytes, and a connection that may carry it now.
            client: Gets the response.
            fetcher: Makes a reply of the response.
            flight: Its flight; other requests may wait for the response.
            now: Seconds since the epoch.
            work: Does the same for several requests together.
        """
        self.work = work
        self.request = request
        self.sent_at = now
        self.client = client
        self.fetcher = fetcher
        self.flight = flight
        self._sent = sent
        self._health = ready[0].health
        self._exchange: Exchange | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._has_response = False
        self._is_over = False
        """The fetcher is to answer, or nobody waits for an answer."""
        self._reserved = ready[1] if isinstance(ready[1], OriginConnection) else None
        """The connection, if no other request can be sent on it meanwhile."""
        interim = None if request.version == "HTTP/1.0" else self._interim  # RFC 9110 §15.2
        self._unsent: Callable[[], Exchange] | None
        """Sends the request; None once that is done."""
        self.response, self._unsent = prepare_get(ready, interim, self._progress)

    @property
    def sent(self) -> UpstreamRequest:
        """The request that was sent to the origin."""
        return self._sent

    @property
    def shareable(self) -> bool:
        """True if other requests may use the response, so that it goes on when the client disconnects."""
        return True

    def send(self) -> None:
        """Send the request, together with others if nothing else can be sent on the connection meanwhile."""
        if self._reserved is not None:
            self.work.sending.add(self._send_once, self._failed)
        else:
            self._send_once()

    def _send_once(self) -> None:
        send, self._unsent = self._unsent, None
        if send is not None:
            self._exchange = send()

    async def reply(self, _responder: Responder, /) -> Reply:
        """Return the reply by the fetcher that has sent the request, even if another pipeline is active now."""
        exchange = self._exchange  # there is none after an error in sending
        response = None if exchange is None or self._is_unprocessed() else self._received(exchange)
        return await self.fetcher.finish(
            self.request, self.sent, NO_CONTEXT, self.flight, response, sent_at=self.sent_at
        )

    def _is_unprocessed(self) -> bool:
        """Return whether the fetcher may send the request again, since the origin did nothing for it."""
        failure = self.response.failure
        if failure is None:
            return False
        elsewhere = self._health is not None and self._health.has_others and not self.response.received
        return elsewhere or Retries("GET").may_repeat(failure, self.response, reused=True)

    async def _received(self, exchange: Exchange) -> OriginResponse:
        """Return the response once its head is there. Raises OriginFailure."""
        head = await exchange.receive_head(self.response)
        return OriginResponse(head, self.sent_at, self.fetcher.clock, exchange, self.response)

    def times(self, now: float) -> ExchangeTimes:
        """Return how long the origin took for a response that was complete at `now`, in seconds since the epoch."""
        seconds = max(0.0, now - self.sent_at)
        return ExchangeTimes(seconds, seconds)

    def client_lost(self) -> None:
        """Go on without the client, or stop if no other request could use the response."""
        if self._has_response:
            return  # it is about to be stored
        self._stop_listening()
        if self._reserved is not None and self._unsent is not None:
            self._reserved.try_reuse()  # it is sent before the event loop could report what the origin has sent unasked
        self._send_once()  # the connection is lent until the end of an exchange
        if self.shareable:
            self._continue()
        else:
            if self._exchange is not None:
                self._exchange.abandon(self.response)
            self._is_over = True
            self.fetcher.single_flight.finish(self.flight)

    def _stop_listening(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self.response.stop_reporting()

    def _interim(self, head: Response) -> None:
        self.client.send_interim(without_hop_fields(head))

    def _progress(self) -> None:
        """Use the response once enough of it has arrived."""
        response = self.response
        if response.awaits_small_body() or (response.head is None and response.failure is None):
            if response.head is not None and self._deadline is None:
                self._deadline = asyncio.get_running_loop().call_later(SMALL_BODY_WAIT, response.stop_waiting_for_body)
            return
        self._stop_listening()
        if self._health is not None:
            self._note_health(self._health)
        self._has_response = True
        self.work.responding.add(self._respond, self._failed)

    def _note_health(self, health: OriginHealth) -> None:
        """Note what the response says about the origin. That a connection in use before was closed says nothing."""
        response = self.response
        if response.head is not None:
            health.answered(response.head.status)
        elif response.failure is not None and response.failure.kind is not FailureKind.CONNECTION_TERMINATED:
            health.failed(response.failure)

    def _respond(self) -> None:
        if not self._respond_at_once():
            self._continue()

    def _respond_at_once(self) -> bool:
        """Send the response without the fetcher. Return false if that is not possible."""
        return False

    def _failed(self) -> None:
        """Have the fetcher answer after an error in a step; end the connection if it was to answer already."""
        self._stop_listening()
        if self._reserved is not None and self._exchange is None:
            self._reserved.abandon(self.response)  # the request was not sent, or not all of it
        if self._is_over:
            self.fetcher.single_flight.finish(self.flight)
            self.client.abort()
        else:
            self._continue()

    def _continue(self) -> None:
        """Have the fetcher answer."""
        self._is_over = True
        self.client.continue_fetch(self)
