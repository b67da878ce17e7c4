"""Requests without content that can be sent at once, over either protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from addon.origin.connection import OriginConnection
from addon.origin.exchange import Exchange
from addon.origin.http2.request_fields import client_block, open_block, path_block
from addon.origin.http2.response import StreamResponse
from addon.origin.pool import Connection, OriginPool
from addon.origin.request_head import client_lines
from addon.origin.response_buffer import ResponseBuffer
from addon.origin.response_reader import ResponseReader
from cache.http.messages import Request, Response

_VERSION = b" HTTP/1.1\r\n"

type ReadyRequest = tuple[OriginPool, Connection, bytes]
"""A request that can be sent at once: a pool, a connection of it that may carry the request now, and the bytes for it.

It is a plain tuple since one is made for each request without a task, in a fiftieth of the time of a named one.
"""


class OpenRequest:
    """Requests that differ in their targets and clients only, and have no content."""

    __slots__ = ("_http1", "_http2", "_prefix", "size")

    def __init__(self, request: Request, head: bytes, scheme: str, prefix: str = "") -> None:
        """Take one of them.

        Args:
            request: The request as it is sent, with no client.
            head: Its head over HTTP/1.
            scheme: `https` for an origin over TLS.
            prefix: What is put in front of each target.
        """
        target = request.target.encode("latin-1")
        before, _, after = head.removesuffix(b"\r\n").partition(target + _VERSION)
        self._http1 = before + prefix.encode("latin-1"), _VERSION + after
        self._http2 = open_block(request, scheme)
        self._prefix = prefix
        self.size = len(head)
        """The length of that head in bytes."""

    def bytes_for(self, connection: Connection, request: Request) -> bytes:
        """Return what is sent on a connection for the target and the client of a request."""
        if isinstance(connection, OriginConnection):
            before, after = self._http1
            return b"%b%b%b%b\r\n" % (before, request.target.encode("latin-1"), after, client_lines(request))
        before, after = self._http2
        return before + path_block(f"{self._prefix}{request.target}") + after + client_block(request)


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
