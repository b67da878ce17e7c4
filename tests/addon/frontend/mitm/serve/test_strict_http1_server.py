"""Clients of mitmproxy over HTTP/1: what is refused, how long it may take, and what mitmproxy's reader gets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mitmproxy import http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    HTTPMode,
    RequestHeaders,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseTrailers,
)

from addon.config.load import configure
from addon.frontend.connection_limits import ConnectionLimits
from addon.frontend.connections import HEAD_TIMEOUT, IDLE_TIMEOUT, LINGER, STALL_TIMEOUT
from addon.frontend.mitm.serve.served_clients import ServedClients
from addon.frontend.mitm.serve.served_connections import ServedConnections
from addon.frontend.mitm.serve.strict_http1_server import StrictHttp1Server
from addon.service import Service
from tests.addon.frontend.mitm.layers import Played, closes, passed_on, sent

HEAD = b"GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n"


@pytest.fixture
def served(default_settings: None, monkeypatch: pytest.MonkeyPatch) -> ServedConnections:
    monkeypatch.setenv("SECONDHAND_STORE__KIND", "memory")
    return ServedConnections(Service(configure(None).settings), ServedClients(Proxyserver(), ConnectionLimits(0, 100)))


def client(served: ServedConnections, mode: HTTPMode = HTTPMode.regular) -> Played[StrictHttp1Server]:
    def make(context: Context, clock: Callable[[], float]) -> StrictHttp1Server:
        return StrictHttp1Server(context, mode, served, clock)

    return Played(make)


def test_a_request_reaches_mitmproxy_with_the_host_of_its_target(served: ServedConnections) -> None:
    (headers, *_) = passed_on(client(served).receive(b"\r\n" + HEAD + b"\r\n"))
    assert isinstance(headers, RequestHeaders)
    assert headers.request.headers["host"] == "a.example"


def test_an_offer_of_another_protocol_is_removed(served: ServedConnections) -> None:
    offer = b"Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n"
    (headers, *_) = passed_on(client(served).receive(HEAD + offer + b"\r\n"))
    assert isinstance(headers, RequestHeaders)
    assert "upgrade" not in headers.request.headers
    assert headers.request.headers["connection"] == "keep-alive"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (HEAD + b"X : y\r\n\r\n", b"400"),
        (HEAD + b"X: y\r\n z\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (HEAD + b"X: y\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", b"400"),
        (b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\n\r\n", b"400"),
        (HEAD + b"X: " + b"a" * 40_000, b"431"),
        (HEAD + (b"X: " + b"a" * 1000 + b"\r\n") * 70, b"431"),
        (b"GET http://a.example/" + b"a" * 40_000, b"414"),
    ],
    ids=["space", "fold", "framing", "bare LF", "origin form", "CONNECT", "line", "head", "request line"],
)
def test_a_refused_request_ends_the_connection(served: ServedConnections, head: bytes, status: bytes) -> None:
    connection = client(served)
    done = connection.receive(head)
    assert sent(done).startswith(b"HTTP/1.1 " + status)
    assert b"Proxy-Status: secondhand; error=http_request_error" in sent(done)
    assert b"Connection: close" in sent(done)
    assert closes(done)
    assert not passed_on(done)
    assert connection.receive(HEAD + b"\r\n") == []
    assert closes(connection.wait(LINGER))


def test_a_target_inside_a_tunnel_is_a_path(served: ServedConnections) -> None:
    assert passed_on(client(served, HTTPMode.transparent).receive(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"))


def test_a_whole_url_inside_a_tunnel_goes_on_as_a_path_with_its_host(served: ServedConnections) -> None:
    """Regression: the origin got the whole URL, and its response was stored for requests by path as well."""
    connection = client(served, HTTPMode.transparent)
    (headers, *_) = passed_on(connection.receive(b"GET https://b.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n"))
    assert isinstance(headers, RequestHeaders)
    assert (headers.request.authority, headers.request.path) == ("", "/x")
    assert headers.request.headers["host"] == "b.example"


def test_a_head_must_be_complete_in_time(served: ServedConnections) -> None:
    connection = client(served)
    connection.receive(HEAD)
    assert connection.wait(HEAD_TIMEOUT - 1) == []
    connection.receive(b"X: ")
    done = connection.wait(1)
    assert sent(done).startswith(b"HTTP/1.1 408")
    assert closes(done)


def test_an_idle_connection_is_closed(served: ServedConnections) -> None:
    connection = client(served)
    assert connection.wait(IDLE_TIMEOUT - 1) == []
    done = connection.wait(1)
    assert closes(done)
    assert not sent(done)


def test_content_that_does_not_come_ends_the_connection(served: ServedConnections) -> None:
    connection = client(served)
    connection.receive(HEAD + b"Content-Length: 100000\r\n\r\n")
    connection.wait(STALL_TIMEOUT - 1)
    connection.receive(b"a" * 40_000)
    assert connection.wait(1) == []
    assert closes(connection.wait(STALL_TIMEOUT))


def test_a_response_under_way_has_no_time_limit(served: ServedConnections) -> None:
    connection = client(served)
    connection.receive(HEAD + b"\r\n")
    assert connection.wait(10_000) == []


def test_a_client_that_sends_too_much_ahead_is_closed(served: ServedConnections) -> None:
    connection = client(served)
    connection.receive(HEAD + b"\r\n")
    assert not closes(connection.receive(b"a" * 1_000_000))
    assert closes(connection.receive(b"a" * 100_000))


def test_trailers_that_a_script_has_added_are_dropped(served: ServedConnections) -> None:
    connection = client(served)
    connection.receive(HEAD + b"\r\n")
    response = http.Response.make(200, b"", {"Transfer-Encoding": "chunked"})
    for event in (
        ResponseHeaders(1, response),
        ResponseData(1, b"hello"),
        ResponseTrailers(1, http.Headers(a="b")),
        ResponseEndOfMessage(1),
    ):
        done = list(connection.layer.send(event))
    assert sent(done) == b"0\r\n\r\n"
