"""Answers one HTTP/2 request: from the responder's reply to the last byte that the client takes."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Protocol

from addon.config.http2 import Http2Settings
from addon.frontend.client_gone import ClientGone
from addon.frontend.frontend import Frontend
from addon.frontend.http1.fast_path import FastPath
from addon.frontend.http1.refused_requests import admitted
from addon.frontend.http1.request_head import HeadLimits, MalformedRequest, RefusedRequest, RequestHead
from addon.frontend.http1.request_target import RequestTargets
from addon.frontend.http2.send import RespondingStream, send
from addon.frontend.http2.turns import Turns
from addon.frontend.http2.upload import Upload
from addon.origin import OriginFailure, RequestContent
from addon.pipeline.reply import Reply, Stream
from cache.http.fields import tokens
from cache.http.messages import Request, Response
from cache.rules.streams import is_stream
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)


class AnsweredStream(RespondingStream, Protocol):
    """A stream, as far as the handler needs it."""

    may_be_silent: bool
    """Client and origin may be silent for long."""
    began: float
    """The time at which the request's head was there, in seconds since the epoch."""

    @property
    def transport(self) -> asyncio.Transport:
        """Return the transport of the connection."""

    @property
    def sending_complete(self) -> bool:
        """Return whether nothing more may be sent."""

    def client_address(self) -> str:
        """Return the client's address."""

    def send_interim(self, interim: Response) -> None:
        """Send an interim response (1xx)."""


class Http2Handler:
    """Answers the requests of all HTTP/2 connections of a listener."""

    def __init__(self, frontend: Frontend, fast_path: FastPath) -> None:
        self.frontend = frontend
        self.fast_path = fast_path
        self.turns = Turns()

    @property
    def limits(self) -> Http2Settings:
        """The limits of a new connection: streams, resets, control frames and windows."""
        return self.frontend.service.settings.http2

    @property
    def head_limits(self) -> HeadLimits:
        """The limits for the request heads of a new connection, in bytes."""
        limits = self.frontend.service.settings.limits
        return HeadLimits(limits.max_head, limits.max_line)

    async def answer(self, request: Request, stream: AnsweredStream, upload: Upload | None) -> bool:
        """Answer a request; return whether the response is complete."""
        request = self.frontend.connections.marked(request, stream.transport)
        responder = self.frontend.service.active.current.responder
        content = RequestContent(upload, upload.length) if upload is not None else None
        reply = await responder.respond(request, interim=stream.send_interim, content=content)
        return await self.send(stream, request, reply)

    async def refuse_by_rule(
        self,
        head: RequestHead,
        refused: RefusedRequest,
        targets: RequestTargets,
        stream: AnsweredStream,
        upload: Upload | None,
    ) -> bool:
        """Refuse a request as the edge says, unless its password proves right; return whether all was sent."""
        admission = await self.admitted(head, refused, targets)
        if isinstance(admission, Reply):
            request = self.frontend.connections.marked(refused.request, stream.transport)
            return await self.send(stream, request, admission)
        return await self.answer(admission, stream, upload)

    async def admitted(self, head: RequestHead, refused: RefusedRequest, targets: RequestTargets) -> Request | Reply:
        """Return a refused request after all, if its password proves right, or the reply that refuses it."""
        errors, again = self.fast_path.fetcher.errors, partial(targets.request, head)
        return await admitted(refused, self.frontend.sites, errors, again)

    async def refuse(self, stream: AnsweredStream, fault: MalformedRequest) -> bool:
        """Tell the client what is wrong with its request; return whether the response is complete."""
        return await self.send_error(stream, fault.reply(self.fast_path.fetcher.errors), fault.line)

    async def send_error(self, stream: AnsweredStream, reply: Reply, line: str) -> bool:
        """Send an error of this proxy's own, logged under a request line; return whether the client got all of it."""
        try:
            size = await send(stream, reply)
        except ClientGone:
            return False
        self.frontend.connections.note(stream, reply.logged(size, line=line), reply.upstream)
        return True

    async def send(self, stream: AnsweredStream, request: Request, reply: Reply) -> bool:
        """Send a reply, and log it; return whether the client got all of it."""
        if stream.sending_complete:  # the client has reset it
            await _close(reply)
            return False
        reply = self.frontend.connections.marks.reply(request, reply)
        size, stream.may_be_silent = 0, is_stream(reply.head)
        try:
            with_trailers = "trailers" in tokens(request.fields.get("te"))  # RFC 9110 §10.1.4
            size = await send(stream, reply, head_only=request.method == "HEAD", with_trailers=with_trailers)
        except (ClientGone, OriginFailure, StoreError) as failure:
            logger.info("%s: the response was cut short: %s", request.uri, failure or "the client disconnected")
            return False
        finally:
            await _close(reply)
            self.frontend.connections.note(stream, reply.logged(size, request), reply.upstream)
        return True


async def _close(reply: Reply) -> None:
    if isinstance(reply.content, Stream):
        await asyncio.shield(reply.content.close())  # also if this task is cancelled
