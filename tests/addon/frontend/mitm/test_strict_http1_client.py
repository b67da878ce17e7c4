"""Origins of mitmproxy over HTTP/1: what is refused, what is skipped, and how long it may take."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from mitmproxy import http
from mitmproxy.connection import ConnectionState, Server
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    HttpEvent,
    RequestEndOfMessage,
    RequestHeaders,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)

from addon.frontend.mitm.failures import failure_of
from addon.frontend.mitm.strict_http1_client import StrictHttp1Client
from addon.origin import FailureKind
from addon.origin.options import OriginOptions
from tests.addon.frontend.mitm.layers import Played, closes, passed_on

OPTIONS = OriginOptions(first_byte_timeout=10, between_bytes_timeout=5, min_rate=1, max_interim=2)
HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


def asked(*fields: tuple[bytes, bytes]) -> Played[StrictHttp1Client]:
    """Return a connection on which a request was sent."""

    def make(context: Context, clock: Callable[[], float]) -> StrictHttp1Client:
        context.server = Server(address=("a.example", 80))
        context.server.state = ConnectionState.OPEN
        return StrictHttp1Client(context, OPTIONS, clock)

    connection = Played(make)
    request = http.Request.make("GET", "http://a.example/", headers=http.Headers(fields))
    connection.play(RequestHeaders(1, request, end_stream=True))
    connection.play(RequestEndOfMessage(1))
    return connection


def failure(received: list[HttpEvent]) -> FailureKind:
    (event,) = received
    assert isinstance(event, ResponseProtocolError)
    return failure_of("a.example", event.message).kind


def statuses(received: list[HttpEvent]) -> list[int]:
    return [event.response.status_code for event in received if isinstance(event, ResponseHeaders)]


@pytest.mark.parametrize("data", [HINT + RESPONSE, HINT + HINT + RESPONSE])
def test_interim_responses_are_skipped(data: bytes) -> None:
    connection = asked()
    pieces = [data[:20], data[20:60], data[60:]]
    assert [status for piece in pieces for status in statuses(passed_on(connection.receive(piece)))] == [200]


def test_interim_responses_without_end_are_refused() -> None:
    assert failure(passed_on(asked().receive(HINT * 3))) is FailureKind.HTTP_PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000, FailureKind.HTTP_RESPONSE_HEADER_SECTION_SIZE),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", FailureKind.HTTP_PROTOCOL_ERROR),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n", FailureKind.HTTP_PROTOCOL_ERROR),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", FailureKind.HTTP_PROTOCOL_ERROR),
    ],
    ids=["head size", "fold", "coding", "switch"],
)
def test_a_refused_response_ends_the_connection(data: bytes, kind: FailureKind) -> None:
    done = asked().receive(data)
    assert failure(passed_on(done)) is kind
    assert closes(done)


def test_a_switch_to_websocket_passes_if_it_was_asked_for() -> None:
    data = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    assert statuses(passed_on(asked((b"Upgrade", b"websocket"), (b"Connection", b"Upgrade")).receive(data))) == [101]


def test_trailers_are_dropped() -> None:
    received = passed_on(
        asked().receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n")
    )
    assert isinstance(received[-1], ResponseEndOfMessage)


def test_an_origin_that_sends_no_head_in_time_has_failed() -> None:
    connection = asked()
    assert connection.wait(9) == []
    assert failure(passed_on(connection.wait(1))) is FailureKind.CONNECTION_READ_TIMEOUT


def test_an_interim_response_starts_the_time_anew() -> None:
    connection = asked()
    connection.wait(9)
    connection.receive(HINT)
    assert connection.wait(4) == []


def test_an_origin_that_stops_within_its_content_has_failed() -> None:
    connection = asked()
    connection.receive(RESPONSE + b"a")
    assert connection.wait(4) == []
    assert failure(passed_on(connection.wait(6))) is FailureKind.CONNECTION_READ_TIMEOUT


def test_content_that_is_streamed_comes_as_fast_as_its_client_reads_it() -> None:
    connection = asked()
    headers, *_ = passed_on(connection.receive(RESPONSE + b"a"))
    assert isinstance(headers, ResponseHeaders)
    headers.response.stream = True
    connection.receive(b"a")
    assert connection.wait(1000) == []


def test_an_idle_connection_has_no_time_limit_here() -> None:
    connection = asked()
    connection.receive(RESPONSE + b"abcde")
    assert connection.wait(1000) == []
