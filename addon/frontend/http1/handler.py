"""One request, from the responder's reply to the last octet that the client takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from addon.frontend.http1.direct_fetch import DirectFetch
from addon.frontend.http1.frontend import Door
from addon.frontend.http1.request_body import RequestBody
from addon.frontend.http1.request_head import RequestHead
from addon.frontend.http1.response_head import framing_of
from addon.frontend.http1.send import Client, ClientGone, send
from addon.origin import FailureKind, OriginAnswer, OriginFailure, RequestContent
from addon.pipeline.reply import Reply, Stream
from addon.pipeline.request_context import NO_CONTEXT
from addon.runtime.access_log import access_line
from cache.http.messages import Request, Response
from cache.policy.reasons import Forwarded
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)

HELD = 65_536
"""Octets of content for a client of HTTP/1.0 that are read before its head is sent, so that it can say how many."""


class NamedClient(Client, Protocol):
    """A client with an address."""

    def client(self) -> str:
        """Return the client's address."""

    def pass_on(self, interim: Response) -> None:
        """Send an interim response."""

    def begins(self) -> None:
        """Note that nobody else waits for what is being done for this client."""


async def answer(
    client: NamedClient, door: Door, head: RequestHead, request: Request, upload: RequestBody | None
) -> bool:
    """Answer a request whose content comes by `upload`; return whether another may follow on the connection."""
    return await give(
        client, door, request, await _reply(client, door, request, upload), upload, wanted=head.persistent
    )


async def answer_passage(client: NamedClient, door: Door, fetch: DirectFetch) -> bool:
    """Answer a request that is on its way already; return whether another may follow on the connection."""
    fetcher, exchange = fetch.fetcher, fetch.exchange  # whatever the door answers from by now
    # RFC 9112 §9.3.1: the connection had ended before it was used
    failure = exchange.failure
    unheard = failure is not None and failure.kind is FailureKind.CONNECTION_TERMINATED and not exchange.received
    asked = None if unheard else _asked(fetch, door.clock)
    reply = await fetcher.go_on(fetch.request, fetch.sent, NO_CONTEXT, fetch.flight, asked)
    return await give(client, door, fetch.request, await _counted(door, fetch.request, reply), None, wanted=True)


async def _asked(fetch: DirectFetch, clock: Callable[[], float]) -> OriginAnswer:
    head = await fetch.connection.hear(fetch.exchange)
    return OriginAnswer(head, fetch.asked_at, clock(), fetch.connection, fetch.exchange)


async def give(
    client: NamedClient, door: Door, request: Request, reply: Reply, upload: RequestBody | None, *, wanted: bool
) -> bool:
    """Send a reply; return whether another request may follow, which the client `wanted`."""
    if client.transport.is_closing():
        await _let_go(reply)
        return False
    persistent = wanted and door.open and (upload is None or upload.complete)
    framing = framing_of(reply.head, request.method, request.version, persistent=persistent)
    octets = 0
    client.begins()
    try:
        octets = await send(client, reply, framing, silent=request.method == "HEAD")
    except (ClientGone, OriginFailure, StoreError) as failure:
        logger.info("%s: the answer was cut short: %s", request.uri, failure or "the client left")
        client.transport.abort()
        return False
    finally:
        await _let_go(reply)
        if door.log is not None:
            line = access_line(request, reply.head.status, octets, reply.handling)
            door.log.note(door.clock(), client.client(), line)
    if reply.handling and reply.handling.fwd is Forwarded.URI_MISS and not framing.close:
        door.passing.learn(request, reply.not_stored)
    return not framing.close


async def _reply(client: NamedClient, door: Door, request: Request, upload: RequestBody | None) -> Reply:
    responder = door.service.responder
    content = RequestContent(upload, upload.length) if upload is not None else None
    return await _counted(door, request, await responder.respond(request, interim=client.pass_on, content=content))


async def _counted(door: Door, request: Request, reply: Reply) -> Reply:
    """Return a reply that says to a client of HTTP/1.0 how many octets its content has."""
    return await door.service.responder.buffered(request, reply, HELD) if request.version == "HTTP/1.0" else reply


async def _let_go(reply: Reply) -> None:
    if isinstance(reply.content, Stream):
        await asyncio.shield(reply.content.close())  # whether the client is still there or not
