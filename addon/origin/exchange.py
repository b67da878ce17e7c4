"""One request to an origin and its response, over either protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from addon.origin.http2.connection import Http2Connection
from addon.origin.http2.request_fields import request_block
from addon.origin.http2.response import StreamResponse
from addon.origin.pool import Connection, OriginPool
from addon.origin.request_body import RequestContent
from addon.origin.response_buffer import ResponseBuffer
from addon.origin.response_reader import ResponseReader
from cache.http.messages import Request, Response
from cache.rules.streams import held_back


class Exchange(Protocol):
    """The carrier of one response: a connection of HTTP/1, or a stream of HTTP/2."""

    async def receive_head(self, response: ResponseBuffer) -> Response:
        """Wait for the final response's head and return it. Raises OriginFailure if no head came."""

    def passing_on(self, response: ResponseBuffer, size: int) -> None:
        """Note that the reader of the response has taken so many bytes of its body, to pass them on."""

    def passed_on(self, response: ResponseBuffer) -> None:
        """Note that the reader has passed them on."""

    def abandon(self, response: ResponseBuffer) -> None:
        """Stop receiving the response if it is not complete."""

    @property
    def content_begun(self) -> bool:
        """Return whether the request's content was asked for its first part, and cannot be sent another time."""


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """A request as it is sent, over whatever protocol a connection speaks."""

    request: Request
    http1_head: bytes
    content: RequestContent | None
    named_host: bool
    interim: Callable[[Response], None] | None

    def send(self, connection: Connection, pool: OriginPool) -> tuple[Exchange, ResponseBuffer]:
        """Send the request; return what carries its response, and what receives it."""
        method = self.request.method
        if isinstance(connection, Http2Connection):
            received = StreamResponse(method, pool.name, pool.options, self.interim)
            self._ask_for_time(received, pool)
            scheme = pool.route.scheme
            block = request_block(self.request, scheme, self.content, named_host=self.named_host)
            return connection.send(block, received, self.content), received
        response = ResponseReader(method, pool.name, pool.options, self.interim)
        self._ask_for_time(response, pool)
        return connection.send(self.http1_head, response, self.content), response

    def _ask_for_time(self, response: ResponseBuffer, pool: OriginPool) -> None:
        if seconds := held_back(self.request):
            pool.let_wait(response, seconds)
