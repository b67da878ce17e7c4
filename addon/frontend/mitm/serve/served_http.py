"""mitmproxy's HTTP in `serve`: its connections are the strict ones, and its error pages are ours.

mitmproxy chooses a layer for each protocol. `ServedNextLayer` puts `ServedHttpLayer` in the place of mitmproxy's own
layer for HTTP, so nothing of mitmproxy itself is changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from mitmproxy.addons.next_layer import NextLayer
from mitmproxy.flow import Error
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layer import CommandGenerator, Layer
from mitmproxy.proxy.layers import HttpLayer
from mitmproxy.proxy.layers.http import (
    ErrorCode,
    HttpErrorHook,
    HttpEvent,
    HttpStream,
    RegisterHttpConnection,
    RequestData,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    SendHttp,
    is_h3_alpn,
)
from mitmproxy.utils import human

from addon.frontend.mitm.serve.served_connections import ServedConnections
from addon.frontend.mitm.serve.strict_http1_server import StrictHttp1Server
from addon.frontend.mitm.serve.strict_http2_server import StrictHttp2Server
from addon.frontend.mitm.strict_http1_client import with_strict_reader

MAX_HELD_REQUEST = 67_108_864
"""Bytes of content of a request over HTTP/2 that does not name its length."""


@dataclass
class ContentIsStreamed(commands.StartHook):
    """Content that was held in memory so far is streamed from now on, since it is too much."""

    name = "secondhand_streams"
    flow: object


@dataclass(slots=True)
class SentPart:
    """The part of a response that was sent to its client."""

    stream: HttpStream
    status: int = 0
    size: int = 0


class ServedHttpStream(HttpStream):
    """One request and its response."""

    def state_consume_request_body(self, event: events.Event) -> CommandGenerator[None]:
        """Do not hold content of a request that is answered already."""
        if isinstance(event, RequestData) and self.flow.response is not None:
            return
        yield from super().state_consume_request_body(event)

    def check_body_size(self, request: bool) -> CommandGenerator[bool]:
        """Stream content of unknown length once there is too much of it, and let the store have what was held."""
        most = human.parse_size(self.context.options.stream_large_bodies)
        if request and self.request_body_buf:
            # too late to stream: the cache decides about the head of a request before that is sent
            return (yield from self._check_held_request())
        if request or most is None or len(self.response_body_buf) <= most or self.flow.response is None:
            return (yield from super().check_body_size(request))
        held = bytes(self.response_body_buf)
        self.response_body_buf.clear()
        yield ContentIsStreamed(self.flow)
        yield from self.start_response_stream()
        yield from self.state_stream_response_body(ResponseData(self.stream_id, held))
        return False

    def _check_held_request(self) -> CommandGenerator[bool]:
        """Refuse a request with too much content whose length was not known. Return whether it was refused."""
        if len(self.request_body_buf) <= MAX_HELD_REQUEST:
            return False
        message = f"The request has more than {MAX_HELD_REQUEST} bytes of content, and did not name its length."
        self.flow.error = Error(message)
        yield HttpErrorHook(self.flow)
        error = ResponseProtocolError(self.stream_id, message, ErrorCode.REQUEST_TOO_LARGE)
        yield SendHttp(error, self.context.client)
        self.client_state = self.state_errored
        self.flow.live = False
        return True


class ServedHttpLayer(HttpLayer):
    """All requests on one connection of a client."""

    def __init__(self, replaced: HttpLayer, served: ServedConnections) -> None:
        """Take the place of a layer that has not begun."""
        context = replaced.context
        context.layers.remove(replaced)
        super().__init__(context, replaced.mode)
        self._served = served
        self._sent: dict[int, SentPart] = {}

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        client = self.context.client
        if isinstance(event, events.Start):
            self._served.clients.end(client)
        if isinstance(event, events.Start) and client not in self.connections and not is_h3_alpn(client.alpn):
            context = self.context.fork()
            if client.alpn == b"h2":
                self.connections[client] = StrictHttp2Server(context, self._served.settings.http2)
            else:
                self.connections[client] = StrictHttp1Server(context, self.mode, self._served)
        yield from super()._handle_event(event)

    def make_stream(self, stream_id: int) -> CommandGenerator[None]:
        """Begin a request."""
        stream = self.streams[stream_id] = ServedHttpStream(self.context.fork(), stream_id)
        self._sent[stream_id] = SentPart(stream)
        yield from self.event_to_child(stream, events.Start())

    def register_connection(self, command: RegisterHttpConnection) -> CommandGenerator[None]:
        """Let a strict reader read what comes on a connection to an origin over HTTP/1."""
        if not command.err:
            opened = self.connections[command.connection]
            self.connections[command.connection] = with_strict_reader(opened, self._served.origin_options)
        yield from super().register_connection(command)

    def event_to_child(self, child: Layer, event: events.Event) -> CommandGenerator[None]:
        """Pass on an event; note what the client is sent, and send our own response in place of mitmproxy's errors."""
        if child is not self.connections.get(self.context.client):
            yield from super().event_to_child(child, event)
            return
        if isinstance(event, ResponseProtocolError) and self._replaces(event):
            yield from self._send_own_error(child, event)
            return
        if isinstance(event, HttpEvent) and event.stream_id in self._sent:
            self._note(self._sent[event.stream_id], event)
        yield from super().event_to_child(child, event)

    def _note(self, sent: SentPart, event: HttpEvent) -> None:
        """Note what is sent to the client. What follows the response to a CONNECT is not HTTP."""
        match event:
            case ResponseHeaders(response=response) if response.status_code >= 200:
                sent.status = response.status_code
                self._served.mark_response(sent.stream.flow, response)
            case ResponseData(data=data):
                sent.size += len(data)
            case ResponseEndOfMessage() | ResponseProtocolError():
                del self._sent[event.stream_id]
                if sent.status:
                    self._served.write_log(sent.stream.flow, sent.status, sent.size)

    def _replaces(self, event: ResponseProtocolError) -> bool:
        sent = self._sent.get(event.stream_id)
        return sent is not None and not sent.status and event.code.http_status_code() is not None

    def _send_own_error(self, child: Layer, event: ResponseProtocolError) -> CommandGenerator[None]:
        flow = self._sent[event.stream_id].stream.flow
        page = self._served.error_page(flow, event.message, event.code)
        ends = isinstance(child, StrictHttp1Server) and not child.request_done  # the rest of the request is not read
        if ends:
            page.headers["connection"] = "close"
        content = page.raw_content or b""
        yield from self.event_to_child(child, ResponseHeaders(event.stream_id, page, not content))
        if content:
            yield from self.event_to_child(child, ResponseData(event.stream_id, content))
        yield from self.event_to_child(child, ResponseEndOfMessage(event.stream_id))
        if ends:
            yield commands.CloseConnection(self.context.client)


class ServedNextLayer(NextLayer):
    """mitmproxy's addon that chooses layers, with our own layer for HTTP."""

    name = "nextlayer"

    def __init__(self, served: ServedConnections) -> None:
        super().__init__()
        self._served = served

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        """Choose the layers that come next."""
        super().next_layer(nextlayer)
        if nextlayer.layer is not None:
            nextlayer.layer = self._with_served_http(nextlayer.layer)

    def _with_served_http(self, top: Layer) -> Layer:
        if type(top) is HttpLayer:
            return ServedHttpLayer(top, self._served)
        if isinstance(top, layer.NextLayer):
            return top
        if hasattr(top, "child_layer") and isinstance(top.child_layer, Layer):
            top.child_layer = self._with_served_http(top.child_layer)
        return top
