"""Exchanges as server-sent events."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from addon.serve.admin import exchange_stream
from addon.serve.admin.exchange_stream import MAX_LISTENERS, MAX_WAITING, ExchangeStream, Listener, event_bytes
from tests.fixtures.admin_client import AdminClient, admin_of, visit
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin


def test_a_listener_that_reads_too_slowly_is_told_how_many_events_it_has_lost() -> None:
    async def conversation() -> None:
        listener = Listener()
        events = [event_bytes("exchange", number) for number in range(MAX_WAITING)]
        listener.put(events, lost=2)
        listener.put(events[:3], lost=0)
        told = await listener.next()
        assert told.startswith(b'event: lost\ndata: {"count": 5}\n\nevent: exchange\ndata: 3\n\n')
        assert told.count(b"event: exchange\n") == MAX_WAITING
        listener.put(events[:1], lost=0)
        assert await listener.next() == events[0]

    asyncio.run(conversation())


def test_a_comment_shows_that_a_silent_connection_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_stream, "HEARTBEAT", 0.0)
    assert asyncio.run(Listener().next()).startswith(b":")


class Stream:
    """A connection on which events arrive."""

    def __init__(self, admin: AdminClient) -> None:
        self._connection = http.client.HTTPConnection(admin.host, admin.port, timeout=TIMEOUT)
        self._connection.request("GET", "/exchanges", headers={**admin.authorization, "Accept": "text/event-stream"})
        self.response = self._connection.getresponse()

    def events(self) -> Iterator[tuple[str, object]]:
        """Iterate over the events."""
        name = ""
        while line := self.response.readline():
            if line.startswith(b"event: "):
                name = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                yield name, json.loads(line[6:])

    def close(self) -> None:
        """Close the connection."""
        self.response.close()
        self._connection.close()


@pytest.mark.parametrize("options", [(), ("--workers", "2"), ("--no-door",)], ids=["one", "workers", "mitmproxy"])
def test_exchanges_arrive_as_they_end_and_the_stream_ends_with_the_proxy(
    options: tuple[str, ...], tmp_path: Path, origin: Origin
) -> None:
    url = serve_page(origin, "/page", b"hello")
    with Proxy(tmp_path, None, ("secondhand", "serve", *options), {"ORIGIN__PROXY": "none"}) as proxy:
        admin = admin_of(proxy)
        visit(proxy, url)
        stream = Stream(admin)
        assert stream.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["Cache-Control"] == "no-store"
        assert stream.response.readline() == b"retry: 2000\n"
        visit(proxy, serve_page(origin, "/other", b"other"))
        name, exchange = next(stream.events())
        assert name == "exchange"
        assert isinstance(exchange, dict)
        assert str(exchange["url"]).endswith("/other")
        assert [exchange[key] for key in ("status", "size", "decision", "times")] == [200, 5, "uri-miss", 1]
        proxy.signal(signal.SIGTERM)
        assert list(stream.events()) == []
        stream.close()
        assert proxy.wait() == 0


def test_only_so_many_clients_listen_at_a_time_and_one_that_leaves_makes_room(admin: AdminClient) -> None:
    streams = [Stream(admin) for _ in range(MAX_LISTENERS)]
    assert {stream.response.status for stream in streams} == {200}
    refused = Stream(admin)
    assert refused.response.status == 503
    refused.close()
    streams.pop().close()
    until = time.monotonic() + TIMEOUT
    while (status := last_status(admin)) != 200:
        assert time.monotonic() < until, status
    for stream in streams:
        stream.close()


def last_status(admin: AdminClient) -> int:
    """Return the status of one more stream, which is closed at once."""
    stream = Stream(admin)
    stream.close()
    return stream.response.status


def test_a_failed_question_for_exchanges_is_not_the_last_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replies = iter([{}, {"exchanges": [], "lost": 0, "last": {}}, {"exchanges": ["one"], "lost": 0, "last": {}}])

    async def exchanges(_: Mapping[str, object]) -> dict[str, object]:
        return next(replies)

    async def conversation() -> None:
        stream = ExchangeStream({"exchanges": exchanges})
        async with asyncio.timeout(TIMEOUT):
            await stream.response()
            (listener,) = stream._listeners
            assert await listener.next() == event_bytes("exchange", "one")
            await stream.close()

    monkeypatch.setattr(exchange_stream, "INTERVAL", 0.0)
    asyncio.run(conversation())
    assert "new exchanges are not passed on" in caplog.messages
