"""The interface of a way to origins, which our own client and mitmproxy's side towards servers have."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from addon.origin import RequestContent
from addon.origin.exchange_times import ExchangeTimes
from cache.http.messages import Fields, Request, Response


class FetchedResponse(Protocol):
    """An origin's final response: its head, and its body as it arrives.

    Attributes:
        head: The head as received.
        request_time: When the request was sent, in seconds since the epoch.
        response_time: When the head was received, in seconds since the epoch.
        whole: The complete body if it arrived together with the head, else None. With it, nothing must be read or
            closed.
        times: How long the parts of the exchange took.
    """

    head: Response
    request_time: float
    response_time: float
    whole: bytes | None
    times: ExchangeTimes

    @property
    def trailers(self) -> Fields:
        """Return the trailer fields as received. They are empty before the body was read to its end."""

    @property
    def read_leniently(self) -> bool:
        """Return whether it was accepted only because of `origin.lenient`, and must not be stored.

        This may become true until the end of the body.
        """

    def body(self) -> AsyncIterator[bytes]:
        """Iterate over the body, without its transfer coding but with its content coding.

        Raises:
            OriginFailure: the body is incomplete. The pieces before were valid.
        """

    def note_end(self) -> None:
        """Note that the body was read to its end just now."""

    async def close(self) -> None:
        """Stop reading."""

    def abandon(self) -> None:
        """Do as `close`, without waiting."""


class Origin(Protocol):
    """Sends requests to origins."""

    async def fetch(
        self,
        request: Request,
        *,
        interim: Callable[[Response], None] | None = None,
        content: RequestContent | None = None,
        named_host: bool = False,
        connected: Callable[[], None] | None = None,
    ) -> FetchedResponse:
        """Send a request and return the response when its head has arrived.

        The arguments and the errors are those of `OriginClient.fetch`.
        """

    def renew(self, request: Request) -> None:
        """Use new connections from now on: after an outage the present ones may be dead, or wait for dead ones."""

    async def close(self) -> None:
        """Close every connection. Unfinished exchanges and all later requests fail."""
