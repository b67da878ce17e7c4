"""One request on its way to the origin and back, for which no task waits: what comes of it is taken as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from addon.origin.connection import OriginConnection
from addon.origin.response_buffer import MOMENT
from addon.origin.response_reader import ResponseReader
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.request_context import without_hop_fields
from cache.engine.decisions import UpstreamRequest
from cache.http.messages import Request, Response


class DirectFetchClient(Protocol):
    """What a passage needs of a client's connection."""

    def passed(self, head: bytes, content: bytes, line: Callable[[], str]) -> None:
        """Send an answer; `line` makes its line in the access log."""

    def arrived(self, fetch: DirectFetch) -> None:
        """Answer by way of the fetcher: the origin's answer has begun, or will never come, or the client is gone."""

    def pass_on(self, interim: Response) -> None:
        """Send an interim response."""


class DirectFetch:
    """A GET on its way. A small answer is taken when it is whole, any other once its head is there."""

    __slots__ = (
        *("_hurry", "_octets", "_sent", "asked_at", "client"),
        *("connection", "exchange", "fetcher", "flight", "request"),
    )

    def __init__(
        self,
        request: Request,
        sent: UpstreamRequest,
        octets: bytes,
        connection: OriginConnection,
        where: str,
        fetcher: Fetcher,
        key: str,
        now: float,
        client: DirectFetchClient,
    ) -> None:
        """Be about to send `octets`, the head of `sent`, to `where` on an idle connection, at `now`.

        `fetcher` makes something of the answer, for which others who ask for `key` may wait.
        """
        self.request = request
        self.connection = connection
        self.asked_at = now
        self.client = client
        self.fetcher = fetcher
        self.flight = fetcher.single_flight.begin(key, leads=True)
        self._sent = sent
        self._octets = octets
        self._hurry: asyncio.TimerHandle | None = None
        interim = None if request.version == "HTTP/1.0" else self._interim  # RFC 9110 §15.2
        self.exchange = ResponseReader("GET", where, connection.options, interim, on_progress=self._heard)

    @property
    def sent(self) -> UpstreamRequest:
        """What is sent forward."""
        return self._sent

    @property
    def shared(self) -> bool:
        """Whether somebody else may want the answer, whatever becomes of the client."""
        return True

    def send(self) -> None:
        """Send the request."""
        self.connection.send(self._octets, self.exchange)

    def leave(self) -> None:
        """Go on without the client, or ask no further where nobody else could have the answer."""
        self._listen_no_more()
        if self.shared:
            self.client.arrived(self)
        else:
            self.connection.abandon(self.exchange)
            self.fetcher.single_flight.finish(self.flight)

    def _listen_no_more(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
        self.exchange.on_progress = None

    def _interim(self, head: Response) -> None:
        self.client.pass_on(without_hop_fields(head))

    def _heard(self) -> None:
        """Take what has come of the answer."""
        exchange = self.exchange
        if exchange.is_nearly_whole() or (exchange.head is None and exchange.failure is None):
            if exchange.head is not None and self._hurry is None:
                self._hurry = asyncio.get_running_loop().call_later(MOMENT, exchange.hurry)
            return
        self._listen_no_more()
        self._arrived()

    def _arrived(self) -> None:
        self.client.arrived(self)
