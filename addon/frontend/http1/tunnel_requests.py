"""Requests that make a tunnel of their HTTP/1 connection: CONNECT, and WebSocket once the origin agrees."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Protocol

from addon.frontend.connect.tunnel import ConnectTunnel
from addon.frontend.connect.web_socket import WebSocketHandshake
from addon.frontend.frontend import Frontend
from addon.frontend.http1.request_head import RequestHead
from addon.frontend.http1.request_target import RequestTargets
from addon.frontend.http1.response_head import head_bytes
from addon.origin.web_socket import SWITCH
from addon.pipeline.reply import Reply
from addon.runtime.access_log.logged_response import request_line
from cache.http.field_table import FRAMING

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class ReleasableClient(Protocol):
    """A client connection that can become a tunnel."""

    def release(self) -> tuple[asyncio.Transport, bytes]:
        """Stop being the transport's protocol; return the transport and the input that is left."""

    def send_last(self, reply: Reply, line: str) -> None:
        """Send an error of this proxy's own, logged under a request line, and end."""


def open_tunnel(frontend: Frontend, client: ReleasableClient, targets: RequestTargets, head: RequestHead) -> None:
    """Open the tunnel that a CONNECT asks for, or refuse it. Raises MalformedRequest."""
    host, port = targets.tunnel_to(head)
    line = request_line(head.method, head.target, head.version)
    opened = not frontend.leaves_alone(host)
    refused = frontend.service.refused_tunnel(host, port, head.fields, opened=opened)
    if refused is not None:
        client.send_last(refused, line)
        return
    transport, rest = client.release()
    transport.write(ESTABLISHED)
    ConnectTunnel(frontend, host, port, line).start(transport, rest)


def join_web_socket(client: ReleasableClient, handshake: WebSocketHandshake, reply: Reply) -> None:
    """Tell the client that the origin speaks WebSocket now, and join the two."""
    fields = reply.head.fields.without(FRAMING).appending(*SWITCH)  # RFC 9110 §15.2: no 1xx has content
    transport, rest = client.release()
    transport.write(head_bytes(replace(reply.head, fields=fields)))
    handshake.join(transport, rest, reply)
