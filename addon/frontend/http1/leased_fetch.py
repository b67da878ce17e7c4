"""A fetch that asks for the lease of its key first: other processes use the same store.

With the lease, or if another process could not share its response, it is a direct fetch, driven by callbacks. If
another process has stored the response, the responder answers from the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from addon.frontend.http1.direct_fetch import DirectFetch, DirectFetchClient
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.flight import Flight
from addon.pipeline.leased_flights import LeasedFlights
from addon.pipeline.reply import Reply
from addon.pipeline.request_context import NO_CONTEXT, RequestContext
from addon.pipeline.responder import Responder
from cache.engine.decisions import UpstreamRequest
from cache.http.messages import Request

MakeFetch = Callable[[], DirectFetch | None]
"""Returns the direct fetch, or None if it cannot be sent at once."""


class LeasedFetch:
    """A GET without content that is sent once this process has the lease of its key."""

    __slots__ = (
        *("_answered", "_client", "_direct", "_fetcher", "_flight", "_is_stored"),
        *("_is_unchanged", "_leases", "_like_sent", "_make", "_sent", "request"),
    )

    def __init__(
        self,
        leases: LeasedFlights,
        request: Request,
        like_sent: UpstreamRequest,
        client: DirectFetchClient,
        *,
        fetcher: Fetcher,
        flight: Flight,
        sent: Callable[[], UpstreamRequest],
        is_unchanged: Callable[[], bool],
        make: MakeFetch,
    ) -> None:
        """Prepare to ask `leases`; `send` asks.

        Args:
            leases: The leases of the pipeline; the request is to `take_part`.
            request: The client's request.
            like_sent: The request that goes to the origin, or one with another target.
            client: Gets the response.
            fetcher: Fetches if no direct fetch can be sent at once.
            flight: The flight of the fetch.
            sent: Returns the request that goes to the origin.
            is_unchanged: Returns whether the store has the same as when it was asked.
            make: Makes the direct fetch.
        """
        self._leases = leases
        self.request = request
        self._like_sent = like_sent
        self._sent = sent
        self._client = client
        self._fetcher = fetcher
        self._is_unchanged = is_unchanged
        self._make = make
        self._flight = flight
        self._direct: DirectFetch | None = None
        self._is_stored: bool | None = None
        self._answered: asyncio.Future[None] | None = None
        """Waits for the answer, once the client has disconnected."""

    @property
    def shareable(self) -> bool:
        """True: other requests may use the response, so that it goes on when the client disconnects."""
        return True

    def send(self) -> None:
        """Ask for the lease."""
        self._leases.ask(self._flight, self.request, self._like_sent, self._is_unchanged, self._decide)

    def _decide(self, is_stored: bool) -> None:
        """Send the request, unless another process has stored the response."""
        self._is_stored = is_stored
        if self._answered is not None:
            if not self._answered.done():
                self._answered.set_result(None)
            return
        if not is_stored:
            self._direct = self._make()
        if self._direct is not None:
            self._direct.send()
        else:
            self._client.continue_fetch(self)

    def client_lost(self) -> None:
        """Go on without the client."""
        if self._direct is not None:
            self._direct.client_lost()
        else:
            self._client.continue_fetch(self)

    async def reply(self, responder: Responder, /) -> Reply:
        """Return the reply from the store, or from the origin by the fetcher."""
        if self._is_stored is None:
            self._answered = asyncio.get_running_loop().create_future()
            try:
                await self._answered
            except asyncio.CancelledError:
                responder.give_up(self._flight)
                raise
        if not self._is_stored:
            return await self._fetcher.finish(self.request, self._sent(), NO_CONTEXT, self._flight)
        reply = await responder.reply_after_lease(self.request, self._like_sent, NO_CONTEXT, self._flight)
        return reply or await responder.respond(self.request, context=RequestContext(waited_as=self._like_sent.fwd))
