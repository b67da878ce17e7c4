"""A request head: it is refused, or it has one meaning, which other parsers of HTTP/1 share."""

from __future__ import annotations

import h11
import httptools

from addon.config.site import site_for_any_host
from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.request_head import HeadLimits, MalformedRequest, RequestHead, end_of_head, parse
from addon.frontend.http1.request_target import ForwardProxyTargets, GatewayTargets, TunnelTargets
from cache.rules.key import is_normalised, primary_key, request_for
from tools.fuzz.pieces import repeated

TOKENS = [
    *(b"GET ", b"CONNECT ", b"OPTIONS * ", b"http://", b"https://", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"\r\n\r\n"),
    *(b"Host: a\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: ", b"[::1]", b"%2e"),
    *(b"Content-Length: ", b"Transfer-Encoding: ", b"identity", b"close", b"keep-alive", b"Upgrade: websocket\r\n"),
]

LIMITS = HeadLimits()
TARGETS = (
    ForwardProxyTargets(),
    GatewayTargets(Sites([site_for_any_host("http://origin.example")])),
    TunnelTargets.of("https", "origin.example", 443, "origin.example"),
)

COMPARED_CONTENT = 4096
"""Bytes of the longest content that is sent to the other parser."""


def check(data: bytes) -> None:
    """Parse bytes as a request head, and its target on each kind of connection."""
    for each in (data, repeated(data)):
        if each is not None:
            _check(each)


def _check(data: bytes) -> None:
    try:
        end = end_of_head(data, LIMITS)
        if not end:
            return
        head = parse(data[:end])
    except MalformedRequest as error:
        assert 400 <= error.status < 500
        assert str(error).isprintable()
        return
    _check_head(head)
    _check_framing_of_h11(head, data[:end])
    _check_framing_of_httptools(head, data[:end])
    for targets in TARGETS:
        _check_target(targets, head)


def _check_head(head: RequestHead) -> None:
    may_lack_host = head.version == "HTTP/1.0" or head.method == "CONNECT"
    assert len(head.fields.all("host")) == 1 or (may_lack_host and "host" not in head.fields)
    for name, value in head.fields:
        assert name.isascii()
        assert value == value.strip(" \t")
        assert not {"\r", "\n", "\0"} & {*value}
    lines = [f"{head.method} {head.target} {head.version}", *(f"{name}: {value}" for name, value in head.fields)]
    assert parse("".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")) == head


def _check_framing_of_h11(head: RequestHead, data: bytes) -> None:
    """Compare the length of the content with what another parser says, if it accepts the head at all."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LIMITS.head)
    connection.receive_data(data)
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError:
        return
    assert isinstance(event, h11.Request)
    assert (event.method, event.target) == (head.method.encode(), head.target.encode("latin-1"))
    fields = dict(event.headers)
    assert (head.length is None) == (b"transfer-encoding" in fields)
    assert (head.length or 0) == int(fields.get(b"content-length", 0))


class _Events:
    """Notes what httptools finds."""

    def __init__(self) -> None:
        self.content = 0
        self.complete = 0

    def on_body(self, body: bytes) -> None:
        self.content += len(body)

    def on_message_complete(self) -> None:
        self.complete += 1


def _check_framing_of_httptools(head: RequestHead, data: bytes) -> None:
    length = head.length
    if head.method == "CONNECT" or (length or 0) > COMPARED_CONTENT:
        return
    events = _Events()
    parser = httptools.HttpRequestParser(events)
    try:
        parser.feed_data(data)
        assert events.complete == (length == 0)
        if length != 0:
            parser.feed_data(b"0\r\n\r\n" if length is None else b"x" * length)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return
    assert (events.content, events.complete) == (length or 0, 1)


def _check_target(targets: ForwardProxyTargets | GatewayTargets | TunnelTargets, head: RequestHead) -> None:
    try:
        if head.method == "CONNECT":
            host, port = targets.tunnel_to(head)
            assert host
            assert 0 < port < 65_536
            return
        request = targets.request(head)
    except MalformedRequest:
        return
    assert request.target == "*" or request.target.startswith("/")
    assert "#" not in request.target
    key = primary_key(request)
    assert key.isascii()
    if request.target != "*":
        assert is_normalised(request) == key.startswith(request.uri)
        assert key == primary_key(request_for(key))
