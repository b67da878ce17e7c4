"""What may never be kept passes without ceremony, and comes out as the fetcher would have it."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.frontend.http1 import request_templates
from cache import engine
from cache.engine.decisions import Forward, Relay
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from tests.addon.frontend.front_end import FrontEndUnderTest, get, run_conversation, until
from tests.fixtures.raw_origin import Peer, RawOrigin, Script, answering

NO_STORE = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\n"
)
FRESH = (
    b"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\n"
)

_FIELDS = st.lists(
    st.sampled_from(
        [("Accept", "*/*"), ("Cookie", "a=b"), ("Authorization", "x"), ("Range", "bytes=0-0"), ("If-None-Match", '"a"')]
    ),
    max_size=3,
    unique=True,
)
_TARGETS = st.text(st.sampled_from("abc/?=&.;%20-"), max_size=20).map(lambda text: f"/{text}")


@given(_FIELDS, _TARGETS, _TARGETS, st.sampled_from(["no-store", "private", "no-store, max-age=9"]))
def test_while_nothing_is_stored_the_target_decides_nothing(
    lines: list[tuple[str, str]], one: str, other: str, said: str
) -> None:
    request, policy = Request("GET", "http", "a.example", 80, one, Fields(tuple(lines))), CachePolicy()
    elsewhere = replace(request, target=other)
    sent, sent_elsewhere = (engine.on_request(each, (), policy, 1.0) for each in (request, elsewhere))
    assert isinstance(sent, Forward)
    assert isinstance(sent_elsewhere, Forward)
    assert replace(sent, request=replace(sent.request, target=other)) == sent_elsewhere
    head = Response(200, "OK", Fields((("Date", "Mon, 23 Nov 2026 12:00:00 GMT"), ("Cache-Control", said))))
    received = Received(head, 1.0, 2.0)
    outcome = engine.on_response(request, sent, received, policy, "1")
    assert isinstance(outcome, Relay)
    assert outcome == engine.on_response(elsewhere, sent_elsewhere, received, policy, "2")


def test_another_target_is_answered_as_the_first_one_was_and_counted() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = [await client.fetch(get(origin, path)) for path in ("/a", "/b", "/c")]
        assert [each.body for each in response] == [b"v1", b"v2", b"v3"]
        assert len({(each.status, each.fields) for each in response}) == 1
        counted = front_end.service.counters.snapshot()
        assert [counted[name] for name in ("requests", "origin.fetches", "not_stored.no-store")] == [3, 3, 3]
        assert counted["octets.from_origin"] == 6
        assert not front_end.entries()

    run_conversation(conversation, answering(NO_STORE + b"v1", NO_STORE + b"v2", NO_STORE + b"v3"))


def test_what_may_be_stored_after_all_is() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path in ("/a", "/b"):
            await client.fetch(get(origin, path))
        assert (await client.fetch(get(origin, "/c"))).status == 200
        assert (await client.fetch(get(origin, "/c"))).status == 203
        assert [each.target for each in front_end.entries()] == [f"http://127.0.0.1:{origin.port}/c"]

    run_conversation(conversation, answering(NO_STORE + b"v1", NO_STORE + b"v2", FRESH + b"v3"))


def test_a_connection_that_had_ended_is_no_error() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path in ("/a", "/b"):
            await client.fetch(get(origin, path))
        assert (await client.fetch(get(origin, "/c"))).body == b"v3"

    ending = NO_STORE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    run_conversation(conversation, answering(NO_STORE + b"v1", ending + b"v2"), answering(NO_STORE + b"v3"))


def test_an_answer_that_ends_short_is_cut() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        response = await client.fetch(get(origin, "/b"))
        assert (response.status, response.body, response.cut) == (200, b"v", True)

    async def ends_short(peer: Peer) -> None:
        for octets in (NO_STORE + b"v1", NO_STORE + b"v"):
            await peer.request()
            await peer.send(octets)
        await peer.close()

    run_conversation(conversation, ends_short)


def test_interim_responses_pass_as_well() -> None:
    """The second client of the same kind did not get to see them."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = [await client.fetch(get(origin, path)) for path in ("/a", "/b", "/c")]
        assert [each.interim for each in response] == [(103,)] * 3

    early = b"HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n" + NO_STORE
    run_conversation(conversation, answering(early + b"v1", early + b"v2", early + b"v3"))


def test_an_origin_that_says_nothing_is_not_asked_again() -> None:
    """A time-out was taken for a connection that had ended, and the request sent a second time."""

    async def silent_then(peer: Peer) -> None:
        await peer.request()
        await peer.send(NO_STORE + b"v1")
        await peer.request()
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        assert (await client.fetch(get(origin, "/b"))).status == 504
        assert len(origin.requests) == 2

    run_conversation(conversation, silent_then, answering(NO_STORE + b"v2"), origin={"first_byte_timeout": 0.2})


def test_a_client_that_leaves_gives_its_place_at_the_origin_back() -> None:
    async def silent_then(peer: Peer) -> None:
        await peer.request()
        await peer.send(NO_STORE + b"v1")
        await peer.request()
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        client.send(get(origin, "/b"))
        await until(lambda: len(origin.requests) == 2)
        # an end of sending alone would leave it the answer
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.disconnect()
        another = await front_end.client()
        assert (await another.fetch(get(origin, "/c"))).body == b"v2"

    run_conversation(conversation, silent_then, answering(NO_STORE + b"v2"), origin={"max_connections": 1})


def test_a_client_of_http_1_0_is_told_the_length_there_too() -> None:
    """Content without a length ended with the connection, as it also does where it ends short."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path, body in (("/a", b"v1"), ("/b", b"v2"), ("/c", b"v3")):
            response = await client.fetch(get(origin, path, "Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"))
            assert (response.fields.get("content-length"), response.body) == ("2", body)

    chunked = NO_STORE.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")
    pieces = [chunked + b"2\r\n%b\r\n0\r\n\r\n" % body for body in (b"v2", b"v3")]
    run_conversation(conversation, answering(NO_STORE + b"v1", *pieces))


def hesitating(late: asyncio.Event, second: bytes) -> Script:
    """Answer once with what may not be stored, and then, when it is `late`, with the octets `second`."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(NO_STORE + b"v1")
        await peer.request()
        await late.wait()
        await peer.send(second)
        await peer.client_closed()

    return script


def test_who_asks_after_a_slow_answer_that_may_not_be_shared_waits_for_nobody() -> None:
    """What is remembered for five seconds was remembered from when the origin was asked."""
    late = asyncio.Event()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, key = await front_end.client(), f"http://127.0.0.1:{origin.port}/b"
        await client.fetch(get(origin, "/a"))
        client.send(get(origin, "/b"))
        await until(lambda: len(origin.requests) == 2)
        front_end.house.time.pass_(6)
        late.set()
        assert (await client.response()).body == b"v2"
        assert front_end.service.active.current.fetcher.single_flight.is_hit_for_pass(key, front_end.service.clock())

    run_conversation(conversation, hesitating(late, NO_STORE + b"v2"))


def test_what_was_asked_before_a_recording_begins_is_not_in_it(tmp_path: Path) -> None:
    """It was stored there, and whoever asked for the same afterwards still waited for the first answer."""
    late = asyncio.Event()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, home = await front_end.client(), front_end.service.active.own
        await client.fetch(get(origin, "/a"))
        client.send(get(origin, "/b"))
        await until(lambda: len(origin.requests) == 2)
        await front_end.service.recordings.start("record", "one")
        late.set()
        assert (await client.response()).body == b"v2"
        assert not front_end.entries()
        assert [each.target for each in home.store.sync_store.entries()] == [f"http://127.0.0.1:{origin.port}/b"]
        assert home.fetcher.single_flight.leader(f"http://127.0.0.1:{origin.port}/b") is None

    store = {"kind": "disk", "path": str(tmp_path / "store")}
    run_conversation(
        conversation, hesitating(late, FRESH + b"v2"), store=store, recordings={"path": str(tmp_path / "shelf")}
    )


def test_heads_that_never_come_again_are_not_kept_for_each_kind_of_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen were, for every Cookie: tens of megabytes that no setting knew of."""
    monkeypatch.setattr(request_templates, "MAX_HEADS", 4)

    async def numbering(peer: Peer) -> None:
        for number in range(20):
            await peer.request()
            await peer.send(NO_STORE.replace(b"\r\n\r\n", b"\r\nX-Request-Id: %d\r\n\r\nv1" % number))
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for number in range(20):
            await client.fetch(get(origin, f"/{number}", f"Cookie: a={number // 5}"))
        assert 0 < len(front_end.fast_path.templates.heads) <= 4

    run_conversation(conversation, numbering)
