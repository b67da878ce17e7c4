"""Clients of mitmproxy over HTTP/2 that send floods of frames."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated
from mitmproxy import http
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import ResponseData, ResponseHeaders

from addon.config.http2 import Http2Settings
from addon.frontend.mitm.serve import strict_http2_server
from addon.frontend.mitm.serve.strict_http2_server import StrictHttp2Server
from tests.addon.frontend.mitm.layers import Played, closes, sent

LIMITS = Http2Settings(resets=5, resets_per_second=1, control_frames=10, control_frames_per_second=1)
REQUEST = [(":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", "/")]


class Client:
    """A client over HTTP/2, and the connection that it has."""

    def __init__(self) -> None:
        def make(context: Context, clock: Callable[[], float]) -> StrictHttp2Server:
            return StrictHttp2Server(context, LIMITS, clock)

        self.h2 = H2Connection(H2Configuration(client_side=True))
        self.h2.initiate_connection()
        self.connection = Played(make)
        self.flush()

    def flush(self) -> bool:
        """Send what is to be sent. Return whether the proxy demands calm, and closes."""
        done = self.connection.receive(self.h2.data_to_send())
        ends = [each for each in self.h2.receive_data(sent(done)) if isinstance(each, ConnectionTerminated)]
        return closes(done) and [each.error_code for each in ends] == [ErrorCodes.ENHANCE_YOUR_CALM]

    def reset(self) -> None:
        """Send a request, and reset it."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, REQUEST, end_stream=True)
        self.h2.reset_stream(stream)

    def ping(self) -> None:
        """Send a PING."""
        self.h2.ping(b"12345678")


@pytest.mark.parametrize(("frame", "allowed"), [(Client.reset, 5), (Client.ping, 9)])
def test_a_flood_ends_the_connection(frame: Callable[[Client], None], allowed: int) -> None:
    client = Client()
    for _ in range(allowed):
        frame(client)
    assert not client.flush()
    frame(client)
    assert client.flush()


def test_a_client_that_does_not_read_is_ended_before_the_memory_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_http2_server, "MAX_UNREAD", 100_000)
    client = Client()
    stream = client.h2.get_next_available_stream_id()
    client.h2.send_headers(stream, REQUEST, end_stream=True)
    client.flush()
    client.connection.play(ResponseHeaders(stream, http.Response.make(200)))
    assert not closes(client.connection.play(ResponseData(stream, b"a" * 150_000)))  # the windows take 65,535 of them
    assert closes(client.connection.play(ResponseData(stream, b"a" * 50_000)))


def test_the_budget_grows_again_with_time() -> None:
    client = Client()
    for _ in range(5):
        client.reset()
    assert not client.flush()
    client.connection.now += 1
    client.reset()
    assert not client.flush()
