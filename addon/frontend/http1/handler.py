"""Answers one HTTP/1 request: from the responder's reply to the last byte that the client takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from addon.config.settings import LimitSettings
from addon.config.site import SiteSettings
from addon.frontend.client_gone import ClientGone
from addon.frontend.connect.web_socket import SWITCHING_PROTOCOLS, WebSocketHandshake
from addon.frontend.frontend import Frontend
from addon.frontend.gateway.passwords import Passwords
from addon.frontend.http1.direct_fetch import ReadyFetch
from addon.frontend.http1.fast_path import FastPath
from addon.frontend.http1.refused_requests import admitted
from addon.frontend.http1.request_body import RequestBody
from addon.frontend.http1.request_head import PREFACE, HeadLimits, RefusedRequest, RequestHead
from addon.frontend.http1.request_target import RequestTargets
from addon.frontend.http1.response_head import framing_of
from addon.frontend.http1.send import Client, send
from addon.frontend.http1.tunnel_requests import ReleasableClient, join_web_socket
from addon.origin import OriginFailure, RequestContent
from addon.pipeline.reply import Reply, Stream
from cache.http.messages import Request, Response
from cache.policy.reasons import Forwarded
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

MAX_BUFFERED = 65_536
"""Bytes of content for a client of HTTP/1.0 that are read before its head is sent, to declare their length."""


class RespondingClient(Client, ReleasableClient, Protocol):
    """A client connection, as far as the handler needs it."""

    began: float
    """The time at which the request's head was there, in seconds since the epoch."""

    def client_address(self) -> str:
        """Return the client's address."""

    def send_interim(self, interim: Response) -> None:
        """Send an interim response (1xx)."""

    def response_begins(self, head: Response) -> None:
        """Note that a response is being sent."""


class Handler:
    """Answers the requests of all HTTP/1 connections of a listener."""

    def __init__(
        self, frontend: Frontend, fast_path: FastPath, http2: Callable[[RequestTargets], asyncio.Protocol]
    ) -> None:
        """Answer requests by `frontend` and `fast_path`; `http2` makes a connection for a client of HTTP/2."""
        self.frontend = frontend
        self.fast_path = fast_path
        self.http2 = http2
        self.use_limits(frontend.service.settings.limits)

    def use_limits(self, limits: LimitSettings) -> None:
        """Read request heads with other limits from now on."""
        self.head_limits = HeadLimits(limits.max_head, limits.max_line)

    def use_sites(self, sites: Sequence[SiteSettings], passwords: Passwords | None = None) -> None:
        """Serve these sites of an edge by the rules of the policy in force. The arguments are as for `Sites.use`."""
        self.frontend.sites.use(sites, self.frontend.service.policy.site_rules, passwords)
        self.fast_path.classes.forget()

    def start_http2(self, targets: RequestTargets, transport: asyncio.Transport, rest: bytes) -> None:
        """Start HTTP/2 with a client that has sent its preface in clear text, and then `rest` (RFC 9113 §3.3)."""
        connection = self.http2(targets)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        connection.data_received(PREFACE + rest)

    async def answer(
        self, client: RespondingClient, head: RequestHead, request: Request, body: RequestBody | None
    ) -> bool:
        """Answer a request; return whether another one may follow on the connection."""
        request = self.frontend.connections.marked(request, client.transport)
        if head.asks_for_web_socket:
            return await self._answer_web_socket(client, head, request)
        responder = self.frontend.service.active.current.responder
        content = RequestContent(body, body.length) if body is not None else None
        reply = await responder.respond(request, interim=client.send_interim, content=content)
        reply = await self._with_length(request, reply)
        may_follow = head.persistent and self.frontend.connections.accepting and (body is None or body.complete)
        return await self._send(client, request, reply, may_follow=may_follow)

    async def refuse(
        self,
        client: RespondingClient,
        head: RequestHead,
        refused: RefusedRequest,
        body: RequestBody | None,
        targets: RequestTargets,
    ) -> bool:
        """Refuse a request as the edge says, unless its password proves right; return whether another may follow."""
        errors, again = self.fast_path.fetcher.errors, partial(targets.request, head)
        admission = await admitted(refused, self.frontend.sites, errors, again)
        if isinstance(admission, Reply):
            may_follow = head.persistent and self.frontend.connections.accepting and body is None
            request = self.frontend.connections.marked(refused.request, client.transport)
            return await self._send(client, request, admission, may_follow=may_follow)
        return await self.answer(client, head, admission, body)

    async def _answer_web_socket(self, client: RespondingClient, head: RequestHead, request: Request) -> bool:
        """Answer a request for WebSocket; return whether another request may follow on the connection."""
        handshake = WebSocketHandshake(self.frontend, request, client.send_interim)
        try:
            reply = await handshake.reply()
            if reply.head.status != SWITCHING_PROTOCOLS:
                may_follow = head.persistent and self.frontend.connections.accepting
                return await self._send(client, request, reply, may_follow=may_follow)
            await client.writable()
            join_web_socket(client, handshake, reply)
        except ClientGone:
            logger.info("%s: the client disconnected", request.uri)
        finally:
            handshake.abandon()
        return False

    async def answer_fetch(self, client: RespondingClient, fetch: ReadyFetch) -> bool:
        """Answer a request by a fetch that has begun; return whether another one may follow."""
        reply = await fetch.reply(self.frontend.service.active.current.responder)
        reply = await self._with_length(fetch.request, reply)
        return await self._send(client, fetch.request, reply, may_follow=self.frontend.connections.accepting)

    async def _with_length(self, request: Request, reply: Reply) -> Reply:
        """Return a reply that declares the length of its content to a client of HTTP/1.0."""
        if request.version != "HTTP/1.0":
            return reply
        return await self.frontend.service.active.current.responder.buffered(request, reply, MAX_BUFFERED)

    async def _send(self, client: RespondingClient, request: Request, reply: Reply, *, may_follow: bool) -> bool:
        """Send a reply; return whether another request may follow, which needs `may_follow`."""
        if client.transport.is_closing():
            await _close(reply)
            return False
        reply = self.frontend.connections.marks.reply(request, reply)
        framing = framing_of(reply.head, request.method, request.version, persistent=may_follow)
        size = 0
        client.response_begins(reply.head)
        try:
            size = await send(client, reply, framing, head_only=request.method == "HEAD")
        except (ClientGone, OriginFailure, StoreError) as failure:
            logger.info("%s: the response was cut short: %s", request.uri, failure or "the client disconnected")
            client.transport.abort()
            return False
        finally:
            await _close(reply)
            self.frontend.connections.note(client, reply.logged(size, request), reply.upstream)
        if reply.handling and reply.handling.fwd is Forwarded.URI_MISS and not framing.close:
            not_stored = None if isinstance(reply.content, Stream) else reply.handling.not_stored
            self.fast_path.templates.learn(request, not_stored)
        return not framing.close


async def _close(reply: Reply) -> None:
    if isinstance(reply.content, Stream):
        await asyncio.shield(reply.content.close())  # also if this task is cancelled
