"""A final response of an origin: its head, and its body as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from addon.origin.connection import OriginConnection
from addon.origin.exchange import Exchange
from addon.origin.exchange_times import ExchangeTimes
from addon.origin.response_buffer import ResponseBuffer
from cache.http.messages import Fields, Response


class OriginResponse:
    """A final response: its head, and its body as it arrives.

    It occupies a connection, or a stream of one, until the body is read to its end or `close` is called.

    Attributes:
        head: The head as received: names in their case, values without surrounding whitespace.
        request_time: When the request was sent, in seconds since the epoch, from the client's clock.
        response_time: When the head was received, in seconds since the epoch, from the client's clock.
        whole: The complete body if it arrived together with the head, else None. With it, nothing must be read or
            closed. After a 101, what the origin has sent in the other protocol; `join` or `abandon` must follow then.
        times: How long the parts of the exchange took.
    """

    __slots__ = ("_clock", "_exchange", "_response", "head", "request_time", "response_time", "times", "whole")

    def __init__(
        self,
        head: Response,
        request_time: float,
        clock: Callable[[], float],
        exchange: Exchange,
        response: ResponseBuffer,
        *,
        connect: float = 0.0,
    ) -> None:
        """Take a response whose head was received just now.

        Args:
            head: The head.
            request_time: When the request was sent, in seconds since the epoch.
            clock: Returns seconds since the epoch.
            exchange: What carries the response.
            response: What receives it.
            connect: Seconds that it took to open the connection; 0 if it was open already.
        """
        self.head = head
        self.request_time = request_time
        self.response_time = clock()
        self._clock = clock
        self._exchange = exchange
        self._response = response
        self.whole = response.whole()
        seconds = max(0.0, self.response_time - request_time)
        self.times = ExchangeTimes(seconds, None if self.whole is None else seconds, connect)

    @property
    def trailers(self) -> Fields:
        """Return the trailer fields as received. They are empty before the body was read to its end."""
        return self._response.trailers

    @property
    def read_leniently(self) -> bool:
        """Return whether it was accepted only because of `origin.lenient`. Its chunks may show that later."""
        return self._response.read_leniently

    def note_end(self) -> None:
        """Note that the body was read to its end just now."""
        self.times.whole = max(0.0, self._clock() - self.request_time)

    def body(self) -> AsyncIterator[bytes]:
        """Iterate over the body, without its transfer coding but with its content coding.

        A slow reader makes the origin wait.

        Raises:
            OriginFailure: the body is incomplete or its framing is malformed. The pieces before were valid.
        """
        return _chunks(self._exchange, self._response) if self.whole is None else _single_chunk(self.whole)

    async def close(self) -> None:
        """Stop reading. The connection or the stream is closed if the rest of the body has not arrived yet."""
        self.abandon()

    def abandon(self) -> None:
        """Do as `close`, without waiting."""
        self._exchange.abandon(self._response)

    def join(self, protocol: asyncio.Protocol) -> None:
        """Give the connection to another protocol, after a 101."""
        if not isinstance(self._exchange, OriginConnection):
            raise TypeError("only a connection of HTTP/1.1 can switch protocols")
        self._exchange.join(protocol, self.whole or b"")


async def _chunks(exchange: Exchange, response: ResponseBuffer) -> AsyncIterator[bytes]:
    while True:
        while (chunk := response.take_chunk()) is not None:
            exchange.passing_on(response, len(chunk))
            yield chunk
            exchange.passed_on(response)
        if response.failure:
            raise response.failure
        if response.complete:
            return
        await response.wait_for_progress()


async def _single_chunk(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data
