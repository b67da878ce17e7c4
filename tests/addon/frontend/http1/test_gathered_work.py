"""Work of several direct fetches is done together; nothing is lost if a client or an origin leaves in between."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from addon.frontend.http1.connection import Http1Connection
from addon.frontend.http1.gathered_work import Gathered
from addon.origin.connection import OriginConnection
from tests.addon.frontend.front_end import Client, FrontEndUnderTest, get, run_conversation
from tests.fixtures.raw_origin import Peer, RawOrigin, answering
from tests.fixtures.until import until

HEAD = b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nCache-Control: %b\r\nContent-Length: 2\r\n\r\n"
NO_STORE, FRESH = HEAD % b"no-store", HEAD % b"max-age=60"


def test_calls_are_made_together_and_in_order_even_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        gathered, made = Gathered(), []

        def fails() -> None:
            raise ZeroDivisionError

        def adds_another() -> None:
            gathered.add(lambda: made.append("c"), lambda: None)
            made.append("b")

        for call in (lambda: made.append("a"), fails, adds_another):
            gathered.add(call, lambda: made.append("failed"))
        assert made == []
        await asyncio.sleep(0)
        assert made == ["a", "b"]
        await asyncio.sleep(0)
        assert made == ["a", "b", "failed", "c"]

    asyncio.run(main())
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


class Held(Gathered):
    """Calls that are made when a test says so."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def add(self, call: Callable[[], None], failed: Callable[[], None]) -> None:
        self.calls.append(call)

    def make(self) -> None:
        while self.calls:
            self.calls.pop(0)()


class Failing(Gathered):
    """Calls in whose place an error is raised."""

    def add(self, call: Callable[[], None], failed: Callable[[], None]) -> None:
        super().add(raise_error, failed)


def raise_error(*_arguments: object) -> None:
    raise ZeroDivisionError


async def held_at(front_end: FrontEndUnderTest, origin: RawOrigin, step: str) -> tuple[Client, Held]:
    """Return a client whose request for /b has come to a step, and the calls of that step, which are held."""
    client, held = await front_end.client(), Held()
    await client.fetch(get(origin, "/a"))
    setattr(front_end.fast_path.templates.work, step, held)
    client.send(get(origin, "/b"))
    await until(lambda: bool(held.calls))
    return client, held


async def leave(front_end: FrontEndUnderTest, client: Client) -> None:
    """Disconnect with a reset: after a mere end of sending, the proxy would still answer."""
    others = len(front_end.connections) - 1
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.disconnect()
    await until(lambda: len(front_end.connections) == others)


def test_many_requests_at_once_get_each_its_own_response() -> None:
    async def echo(peer: Peer) -> None:
        while True:
            path = (await peer.request()).split(b" ")[1]
            await peer.send((FRESH if path < b"/5" else NO_STORE) + path[1:])

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        clients = [await front_end.client() for _ in range(10)]
        for client in clients:  # each origin connection is used once before
            client.send(get(origin, "/00"))
            await client.response()
        for turn in range(10):
            for number, client in enumerate(clients):
                client.send(get(origin, f"/{number}{turn}"))
            bodies = [(await client.response()).body for client in clients]
            assert bodies == [b"%d%d" % (number, turn) for number in range(10)]
        assert len(front_end.entries()) == 50  # and /00 among them

    run_conversation(conversation, echo)


def test_what_is_fetched_for_a_client_that_left_before_its_request_was_sent_is_stored() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, held = await held_at(front_end, origin, "sending")
        await leave(front_end, client)
        await until(lambda: len(front_end.entries()) == 2)
        held.make()
        other = await front_end.client()
        assert (await other.fetch(get(origin, "/b"))).status == 203
        assert len(origin.requests) == 2

    run_conversation(conversation, answering(FRESH + b"v1", FRESH + b"v2"))


def test_a_client_that_left_before_its_request_was_sent_releases_the_origin_connection() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, held = await held_at(front_end, origin, "sending")
        await leave(front_end, client)
        held.make()
        front_end.fast_path.templates.work.sending = Gathered()
        other = await front_end.client()
        assert (await other.fetch(get(origin, "/c"))).body == b"v3"

    scripts = answering(NO_STORE + b"v1"), answering(NO_STORE + b"v3")
    run_conversation(conversation, *scripts, origin={"max_connections": 1})


def test_a_response_that_has_arrived_is_stored_although_its_client_has_left() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, held = await held_at(front_end, origin, "responding")
        await leave(front_end, client)
        assert len(front_end.entries()) == 1
        held.make()
        assert len(front_end.entries()) == 2
        assert not front_end.fast_path.fetcher.single_flight
        other = await front_end.client()
        assert (await other.fetch(get(origin, "/b"))).status == 203
        assert len(origin.requests) == 2

    run_conversation(conversation, answering(FRESH + b"v1", FRESH + b"v2"))


def test_a_request_waits_for_a_response_that_has_arrived_and_is_not_stored_yet() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, held = await held_at(front_end, origin, "responding")
        other = await front_end.client()
        other.send(get(origin, "/b"))
        counters = front_end.service.counters
        await until(lambda: counters.snapshot()["requests"] == 3)
        held.make()
        assert [(await each.response()).body for each in (client, other)] == [b"v2", b"v2"]
        assert len(origin.requests) == 2

    run_conversation(conversation, answering(FRESH + b"v1", FRESH + b"v2"))


def test_a_request_whose_connection_ended_before_it_was_sent_goes_to_another() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, held = await held_at(front_end, origin, "sending")
        may_close.set()
        await closed.wait()
        held.make()
        assert (await client.response()).body == b"v2"

    may_close, closed = asyncio.Event(), asyncio.Event()

    async def ends(peer: Peer) -> None:
        await peer.request()
        await peer.send(NO_STORE + b"v1")
        await may_close.wait()
        await peer.close()
        closed.set()

    run_conversation(conversation, ends, answering(NO_STORE + b"v2"))


# ---- a step fails


def test_the_fetcher_sends_a_request_after_an_error_in_sending_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        monkeypatch.setattr(OriginConnection, "send", fails_once)
        assert (await client.fetch(get(origin, "/b"))).body == b"v2"
        assert not front_end.fast_path.fetcher.single_flight
        assert (await client.fetch(get(origin, "/b"))).status == 203

    send = OriginConnection.send

    def fails_once(self: OriginConnection, *arguments: Any) -> OriginConnection:
        monkeypatch.undo()
        send(self, b"GET /b", *arguments[1:])
        raise ZeroDivisionError

    run_conversation(conversation, answering(FRESH + b"v1"), answering(FRESH + b"v2"), origin={"max_connections": 1})


def test_the_fetcher_passes_on_a_response_after_an_error_in_passing_it_on() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        front_end.fast_path.templates.work.responding = Failing()
        assert (await client.fetch(get(origin, "/b"))).body == b"v2"
        assert not front_end.fast_path.fetcher.single_flight
        assert (await client.fetch(get(origin, "/b"))).status == 203
        assert len(origin.requests) == 2

    run_conversation(conversation, answering(FRESH + b"v1", FRESH + b"v2"))


def test_a_client_is_disconnected_after_an_error_while_it_is_sent_its_response() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, other = await front_end.client(), await front_end.client()
        await client.fetch(get(origin, "/a"))
        front_end.fast_path.templates.work.answering = Failing()
        client.send(get(origin, "/b"))
        assert await client.rest() == b""
        assert not front_end.fast_path.fetcher.single_flight
        assert (await other.fetch(get(origin, "/b"))).status == 203

    run_conversation(conversation, answering(FRESH + b"v1", FRESH + b"v2"))


def test_a_client_is_disconnected_if_the_fetcher_cannot_answer_either(monkeypatch: pytest.MonkeyPatch) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        with monkeypatch.context() as patch:
            patch.setattr(Http1Connection, "continue_fetch", raise_error)
            client.send(get(origin, "/b"))
            assert await client.rest() == b""
        assert not front_end.fast_path.fetcher.single_flight
        assert (await (await front_end.client()).fetch(get(origin, "/b"))).body == b"v3"

    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nv2\r\n0\r\n\r\n"
    run_conversation(conversation, answering(FRESH + b"v1", chunked, FRESH + b"v3"))
