"""One request for WebSocket: the pipeline answers it like any other, and a 101 gives the connection to the origin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from addon.frontend.connect.raw_tunnel import RawTunnel
from addon.frontend.frontend import Frontend
from addon.origin import OriginResponse
from addon.origin.web_socket import KEY, fault_in_switch, handshake_fields
from addon.pipeline.reply import Reply, Stream
from addon.pipeline.request_context import RequestContext
from addon.runtime.access_log.logged_response import LoggedResponse
from cache.engine.decisions import UpstreamRequest
from cache.http.messages import Request, Response
from cache.policy.reasons import Detail

SWITCHING_PROTOCOLS = 101


class WebSocketHandshake:
    """Asks the origin for a WebSocket. Call `abandon` in the end."""

    def __init__(
        self, frontend: Frontend, request: Request, interim: Callable[[Response], None], *, key: str | None = None
    ) -> None:
        """Prepare to ask.

        Args:
            frontend: The parts that all connections share.
            request: The client's request, with `Upgrade: websocket`.
            interim: Called with the head of each other 1xx response.
            key: The key of this proxy, if the client has none of its own (RFC 8441 §5).
        """
        self._frontend = frontend
        self._pipeline = frontend.service.active.current
        self._request = request
        self._context = RequestContext(interim=interim, fetch=self._ask)
        self._key = key
        self._switched: OriginResponse | None = None

    async def reply(self) -> Reply:
        """Return the reply to the request; with status 101, `join` must follow."""
        reply = await self._pipeline.responder.respond(self._request, context=self._context)
        if reply.head.status == SWITCHING_PROTOCOLS and isinstance(reply.content, Stream):
            await reply.content.close()  # a 101 has no content; what follows it is for `join`
        return reply

    async def _ask(self, sent: UpstreamRequest) -> OriginResponse:
        """Ask the origin, for the pipeline. Raises OriginFailure."""
        self.abandon()
        fetcher, request = self._pipeline.fetcher, sent.request
        response = await fetcher.client.fetch_or_switch(
            request.with_fields(handshake_fields(request.fields, self._key)),
            partial(fault_in_switch, key=self._key or request.fields.get(KEY)),
            interim=self._context.forwarding,
            named_host=sent.detail is Detail.HOST_MISMATCH,
            connected=partial(fetcher.reachability.connected, request),
        )
        if response.head.status == SWITCHING_PROTOCOLS:
            self._switched = response
        return response

    def join(self, transport: asyncio.Transport, data: bytes, reply: Reply) -> None:
        """Join the client, which has sent `data` already, to the origin, after a 101."""
        switched, self._switched = self._switched, None
        if switched is None:
            raise RuntimeError("the origin has not switched protocols")
        client = self._request.client
        tunnel = RawTunnel(
            self._frontend,
            lambda size: LoggedResponse(SWITCHING_PROTOCOLS, size, self._request, handling=reply.handling),
            client.address if client else "",
        )
        tunnel.join(transport, data, switched)

    def abandon(self) -> None:
        """Close the connection to the origin, unless it was joined to the client."""
        if self._switched is not None:
            self._switched.abandon()
            self._switched = None
