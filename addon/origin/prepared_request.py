"""A request without content that can be sent at once, over either protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from addon.origin.connection import OriginConnection
from addon.origin.exchange import Exchange
from addon.origin.http2.request_fields import open_block, path_block, request_block
from addon.origin.http2.response import StreamResponse
from addon.origin.pool import Connection, OriginPool
from addon.origin.response_buffer import ResponseBuffer
from addon.origin.response_reader import ResponseReader
from cache.http.messages import Request, Response


class PreparedRequest(NamedTuple):
    """A request as each protocol has it."""

    http1: bytes
    """Its head."""
    http2: bytes
    """Its header block."""

    def bytes_for(self, connection: Connection) -> bytes:
        """Return what is sent on a connection."""
        return self.http1 if isinstance(connection, OriginConnection) else self.http2


class ReadyRequest(NamedTuple):
    """A request that can be sent at once."""

    pool: OriginPool
    connection: Connection
    """A connection of the pool that may carry the request now."""
    data: bytes
    """The request, in the protocol of the connection."""


class OpenRequest:
    """Requests that differ in their targets only, and go to the origin itself."""

    __slots__ = ("_http1", "_http2", "_prefix")

    def __init__(self, request: Request, head: bytes, scheme: str, prefix: str = "") -> None:
        """Take one of them as it is sent, and its head over HTTP/1. `prefix` is put in front of each target."""
        before, _, after = head.partition(b" " + request.target.encode("latin-1") + b" ")
        self._http1 = before + b" " + prefix.encode("latin-1"), b" " + after
        self._http2 = open_block(request, scheme)
        self._prefix = prefix

    def bytes_for(self, connection: Connection, target: str) -> bytes:
        """Return what is sent on a connection for a target."""
        if isinstance(connection, OriginConnection):
            before, after = self._http1
            return before + target.encode("latin-1") + after
        before, after = self._http2
        return before + path_block(f"{self._prefix}{target}") + after


def prepared_request(request: Request, head: bytes, scheme: str) -> PreparedRequest:
    """Return a prepared request. `head` is what is sent over HTTP/1, `scheme` is `https` for an origin over TLS."""
    return PreparedRequest(head, request_block(request, scheme))


def prepare_get(
    ready: ReadyRequest, on_interim: Callable[[Response], None] | None, on_progress: Callable[[], None]
) -> tuple[ResponseBuffer, Callable[[], Exchange]]:
    """Return what receives the response to a GET, and a function that sends the request.

    Args:
        ready: What is sent, and where.
        on_interim: Called with the head of each 1xx response.
        on_progress: Called when data arrived or the exchange ended.
    """
    pool, connection, data = ready
    if isinstance(connection, OriginConnection):
        reader = ResponseReader("GET", pool.name, connection.options, on_interim, on_progress=on_progress)
        return reader, partial(connection.send, data, reader)
    response = StreamResponse("GET", pool.name, connection.options, on_interim, on_progress=on_progress)
    return response, partial(connection.send, data, response)
