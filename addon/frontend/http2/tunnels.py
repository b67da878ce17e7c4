"""Streams that become tunnels: CONNECT (RFC 9113 §8.5), and extended CONNECT for WebSocket (RFC 8441)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial

from addon.frontend.client_gone import ClientGone
from addon.frontend.connect.tunnel import ConnectTunnel
from addon.frontend.connect.web_socket import SWITCHING_PROTOCOLS, WebSocketHandshake
from addon.frontend.http1.request_head import MalformedRequest, RefusedRequest, RequestHead
from addon.frontend.http1.request_target import RequestTargets
from addon.frontend.http2.handler import Http2Handler
from addon.frontend.http2.header_block import response_block
from addon.frontend.http2.request_fields import Http2Head
from addon.frontend.http2.stream import Stream
from addon.frontend.http2.stream_transport import StreamTransport
from addon.frontend.http2.upload import Upload
from addon.origin import FailureKind, OriginFailure
from addon.origin.web_socket import ACCEPT, new_key
from addon.pipeline.reply import Reply
from addon.pipeline.reply import Stream as ContentStream
from addon.runtime.access_log.logged_response import request_line
from cache.http.field_table import FRAMING
from cache.http.messages import Request, Response
from cache.policy.reasons import Refused

WEB_SOCKET = "websocket"
"""The only protocol of an extended CONNECT that is known here."""

ESTABLISHED = response_block(Response(200, "OK"))

Answering = Callable[[Stream, Upload | None], Coroutine[None, None, bool]]
"""Answers on a stream; returns whether the response is complete."""


class Tunnels:
    """Answers the requests for tunnels on HTTP/2 connections."""

    def __init__(self, handler: Http2Handler) -> None:
        self._handler = handler
        self._frontend = handler.frontend

    def answering(self, head: Http2Head, targets: RequestTargets) -> Answering:
        """Return what answers such a request. Raises MalformedRequest."""
        if head.length is not None:
            raise MalformedRequest("A CONNECT request has no content.")  # RFC 9110 §9.3.6
        if head.protocol is None:
            host, port = targets.tunnel_to(head.head)
            return partial(self._connect, head.head, host, port)
        if head.protocol != WEB_SOCKET:
            return partial(self._refuse_protocol, head.head, head.protocol)
        try:
            return partial(self._web_socket, targets.request(head.head))
        except RefusedRequest as refused:
            return partial(self._refuse_by_rule, head.head, refused, targets)

    async def _connect(self, head: RequestHead, host: str, port: int, stream: Stream, upload: Upload | None) -> bool:
        """Open the tunnel that a CONNECT asks for, or refuse it."""
        line = request_line(head.method, head.target, head.version)
        opened = not self._frontend.leaves_alone(host)
        refused = self._frontend.service.refused_tunnel(host, port, head.fields, opened=opened)
        if refused is not None:
            return await self._handler.send_error(_answered(stream), refused, line)
        try:
            stream.send_headers(ESTABLISHED, end_stream=False)
        except ClientGone:
            return False
        transport = StreamTransport(stream, upload)
        ConnectTunnel(self._frontend, host, port, line).start(transport, b"")
        return await transport.run()

    async def _refuse_by_rule(
        self, head: RequestHead, refused: RefusedRequest, targets: RequestTargets, stream: Stream, upload: Upload | None
    ) -> bool:
        """Refuse a WebSocket as a rule says, unless its password proves right."""
        admission = await self._handler.admitted(head, refused, targets)
        if isinstance(admission, Reply):
            return await self._handler.send(_answered(stream), refused.request, admission)
        return await self._web_socket(admission, stream, upload)

    async def _web_socket(self, request: Request, stream: Stream, upload: Upload | None) -> bool:
        """Ask the origin for a WebSocket, and join it to the stream."""
        request = self._frontend.connections.marked(request, stream.transport)
        handshake = WebSocketHandshake(self._frontend, request, stream.send_interim, key=new_key())
        try:
            reply = await handshake.reply()
            if reply.head.status != SWITCHING_PROTOCOLS:
                reply = await self._without_success(request, reply)
                return await self._handler.send(_answered(stream), request, reply)
            fields = reply.head.fields.without({*FRAMING, ACCEPT})  # RFC 8441 §5: no key, so no answer to it
            stream.send_headers(response_block(replace(reply.head, status=200, fields=fields)), end_stream=False)
            transport = StreamTransport(stream, upload)
            handshake.join(transport, b"", reply)
            return await transport.run()
        except ClientGone:
            return False
        finally:
            handshake.abandon()

    async def _without_success(self, request: Request, reply: Reply) -> Reply:
        """Return an error in place of a 2xx: it would tell the client that the WebSocket is open (RFC 8441 §5)."""
        status = reply.head.status
        if not 200 <= status < 300:
            return reply
        if isinstance(reply.content, ContentStream):
            await reply.content.close()
        sentence = f"{request.authority} answered {status} to a request for a WebSocket."
        return self._handler.fast_path.fetcher.errors.origin_failed(
            OriginFailure(FailureKind.HTTP_PROTOCOL_ERROR, sentence)
        )

    async def _refuse_protocol(self, head: RequestHead, protocol: str, stream: Stream, _upload: Upload | None) -> bool:
        sentence = f"This proxy opens no tunnel for the protocol {protocol} over HTTP/2."
        errors = self._handler.fast_path.fetcher.errors
        reply = errors.error(501, Refused.TUNNEL_PROTOCOL, sentence, "http_request_denied")  # RFC 9220 §3
        return await self._handler.send_error(
            _answered(stream), reply, request_line("CONNECT", head.target, head.version)
        )


def _answered(stream: Stream) -> Stream:
    """Return a stream that gets an answer and no tunnel."""
    stream.is_tunnel = False
    return stream
