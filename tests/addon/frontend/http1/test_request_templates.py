"""Request templates: a miss like an earlier one is fetched without a task, and gets the same response as with one."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.frontend.http1 import request_templates
from addon.frontend.http1.direct_fetch import DirectFetch, ReadyFetch
from addon.origin import FailureKind, OriginFailure
from addon.origin.exchange_times import ExchangeTimes
from addon.origin.reachability import MAX_FAILURES
from addon.runtime.access_log.logged_response import LoggedResponse
from cache import engine
from cache.engine.decisions import Forward, Relay
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from tests.addon.frontend.front_end import FrontEndUnderTest, authority_of, get, run_conversation
from tests.fixtures.raw_origin import Peer, RawOrigin, Script, answering
from tests.fixtures.until import until

DATE = "Mon, 23 Nov 2026 12:00:00 GMT"
HEAD = f"HTTP/1.1 200 OK\r\nDate: {DATE}\r\nCache-Control: %b\r\nContent-Length: 2\r\n\r\n".encode()
NO_STORE, FRESH = HEAD % b"no-store", HEAD % b"max-age=60"

_FIELDS = st.lists(
    st.sampled_from(
        [("Accept", "*/*"), ("Cookie", "a=b"), ("Authorization", "x"), ("Range", "bytes=0-0"), ("If-None-Match", '"a"')]
    ),
    max_size=3,
    unique=True,
)
_TARGETS = st.text(st.sampled_from("abc/?=&.;%20-"), max_size=20).map(lambda text: f"/{text}")


@given(_FIELDS, _TARGETS, _TARGETS, st.sampled_from(["no-store", "private", "no-store, max-age=9"]))
def test_the_engine_decides_the_same_for_every_target_while_nothing_is_stored(
    lines: list[tuple[str, str]], target: str, other_target: str, cache_control: str
) -> None:
    """This is why a template may be used for another target."""
    request, policy = Request("GET", "http", "a.example", 80, target, Fields(tuple(lines))), CachePolicy()
    other = replace(request, target=other_target)
    sent, other_sent = (engine.on_request(each, (), policy, 1.0) for each in (request, other))
    assert isinstance(sent, Forward)
    assert isinstance(other_sent, Forward)
    assert replace(sent, request=replace(sent.request, target=other_target)) == other_sent
    head = Response(200, "OK", Fields((("Date", DATE), ("Cache-Control", cache_control))))
    received = Received(head, 1.0, 2.0)
    outcome = engine.on_response(request, sent, received, policy, "1")
    assert isinstance(outcome, Relay)
    assert outcome == engine.on_response(other, other_sent, received, policy, "2")


def test_another_target_gets_the_same_head_and_the_same_counters() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        responses = [await client.fetch(get(origin, path)) for path in ("/a", "/b", "/c")]
        assert [each.body for each in responses] == [b"v1", b"v2", b"v3"]
        assert len({(each.status, each.fields) for each in responses}) == 1
        counters = front_end.service.counters.snapshot()
        assert [counters[name] for name in ("requests", "origin.fetches", "not_stored.no-store")] == [3, 3, 3]
        assert counters["octets.from_origin"] == 6
        assert not front_end.entries()

    run_conversation(conversation, answering(NO_STORE + b"v1", NO_STORE + b"v2", NO_STORE + b"v3"))


def test_a_response_that_may_be_stored_is_stored() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path in ("/a", "/b"):
            await client.fetch(get(origin, path))
        assert (await client.fetch(get(origin, "/c"))).status == 200
        assert (await client.fetch(get(origin, "/c"))).status == 203
        assert [each.target for each in front_end.entries()] == [f"http://{authority_of(origin)}/c"]

    run_conversation(conversation, answering(NO_STORE + b"v1", NO_STORE + b"v2", FRESH + b"v3"))


def test_an_origin_connection_that_has_ended_is_replaced() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path in ("/a", "/b"):
            await client.fetch(get(origin, path))
        assert (await client.fetch(get(origin, "/c"))).body == b"v3"

    closing = NO_STORE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    run_conversation(conversation, answering(NO_STORE + b"v1", closing + b"v2"), answering(NO_STORE + b"v3"))


def test_a_response_that_ends_short_is_cut_off() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        response = await client.fetch(get(origin, "/b"))
        assert (response.status, response.body, response.cut) == (200, b"v", True)

    run_conversation(conversation, answering(NO_STORE + b"v1", NO_STORE + b"v", then_close=True))


def test_a_response_that_is_passed_on_shows_that_the_origin_answers() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, service = await front_end.client(), front_end.service
        await client.fetch(get(origin, "/a"))
        request = Request("GET", "http", "127.0.0.1", origin.port, "/")
        failure = OriginFailure(FailureKind.CONNECTION_TIMEOUT, "No answer.", disconnected=True)
        for _ in range(3):
            for _ in range(MAX_FAILURES - 1):
                service.reachability.failed(request, failure, service.clock())
            await client.fetch(get(origin, "/b"))
        assert not service.reachability.unreachable

    run_conversation(conversation, answering(*[NO_STORE + b"v1"] * 4))


def test_interim_responses_are_passed_on() -> None:
    """Regression: only the first client of a template got them."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        responses = [await client.fetch(get(origin, path)) for path in ("/a", "/b", "/c")]
        assert [each.interim for each in responses] == [(103,)] * 3

    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n" + NO_STORE
    run_conversation(conversation, answering(hints + b"v1", hints + b"v2", hints + b"v3"))


def test_a_client_of_http_1_0_gets_a_content_length() -> None:
    """Regression: without it, the client could not tell complete content from content that ends short."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path, body in (("/a", b"v1"), ("/b", b"v2"), ("/c", b"v3")):
            request = get(origin, path, "Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0")
            response = await client.fetch(request)
            assert (response.fields.get("content-length"), response.body) == ("2", body)

    head = NO_STORE.replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")
    chunked = [head + b"2\r\n%b\r\n0\r\n\r\n" % body for body in (b"v2", b"v3")]
    run_conversation(conversation, answering(NO_STORE + b"v1", *chunked))


# ---- the second response takes long, or never comes


async def silent_to_the_second(peer: Peer) -> None:
    """Answer the first request, and never the second."""
    await peer.request()
    await peer.send(NO_STORE + b"v1")
    await peer.request()
    await peer.client_closed()


def delays_the_second(may_answer: asyncio.Event, second: bytes) -> Script:
    """Return a script that answers the second request with `second`, once it may."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(NO_STORE + b"v1")
        await peer.request()
        await may_answer.wait()
        await peer.send(second)
        await peer.client_closed()

    return script


def test_a_request_that_timed_out_is_not_sent_again() -> None:
    """Regression: the timeout was taken for an idle connection that had ended, and the request was sent again."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        assert (await client.fetch(get(origin, "/b"))).status == 504
        assert len(origin.requests) == 2

    origin_settings = {"first_byte_timeout": 0.2}
    run_conversation(conversation, silent_to_the_second, answering(NO_STORE + b"v2"), origin=origin_settings)


def test_a_client_that_disconnects_releases_its_origin_connection() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        client.send(get(origin, "/b"))
        await until(lambda: len(origin.requests) == 2)
        # a reset: after a mere end of sending, the proxy would still answer
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.disconnect()
        other = await front_end.client()
        assert (await other.fetch(get(origin, "/c"))).body == b"v2"

    origin_settings = {"max_connections": 1}
    run_conversation(conversation, silent_to_the_second, answering(NO_STORE + b"v2"), origin=origin_settings)


class LostClient:
    """A client that disconnects as soon as its request is read."""

    def __init__(self) -> None:
        self.continued: list[ReadyFetch] = []

    def send_direct(self, head: bytes, content: bytes, logged: LoggedResponse, times: ExchangeTimes) -> None:
        raise AssertionError("it has disconnected")

    def continue_fetch(self, fetch: ReadyFetch) -> None:
        self.continued.append(fetch)

    def send_interim(self, interim: Response) -> None:
        raise AssertionError("it has disconnected")

    def abort(self) -> None:
        """Do nothing: it is gone."""


@pytest.mark.parametrize("unasked", [FRESH + b"no", b""], ids=["a response", "its end"])
def test_what_an_origin_has_sent_unasked_is_no_response_for_a_client_that_is_lost(unasked: bytes) -> None:
    peers: list[Peer] = []

    async def answers_all(peer: Peer) -> None:
        peers.append(peer)
        while True:
            await peer.send(FRESH + (await peer.request()).split(b" ")[1][-2:])

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, lost, fast_path = await front_end.client(), LostClient(), front_end.fast_path
        for path in ("/a", "/b"):
            await client.fetch(get(origin, path))
        request = Request("GET", "http", "127.0.0.1", origin.port, "/c")
        fetch = fast_path.prepare(get(origin, "/c"), request, None, client=lost)
        assert isinstance(fetch, DirectFetch)
        fetch.send()
        peers[-1].send_now(unasked)
        fetch.client_lost()
        reply = await fetch.reply(front_end.service.active.current.responder)
        assert (reply.content, len(origin.requests), origin.connections) == (b"/c", 3, 2)
        assert lost.continued == [fetch]

    run_conversation(conversation, answers_all, answers_all)


def test_hit_for_pass_begins_when_the_response_arrives() -> None:
    """Regression: its five seconds began when the request was sent."""
    may_answer = asyncio.Event()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, service = await front_end.client(), front_end.service
        await client.fetch(get(origin, "/a"))
        client.send(get(origin, "/b"))
        await until(lambda: len(origin.requests) == 2)
        front_end.clock.advance(6)
        may_answer.set()
        assert (await client.response()).body == b"v2"
        single_flight = service.active.current.fetcher.single_flight
        assert single_flight.is_hit_for_pass(f"http://{authority_of(origin)}/b", service.clock())

    run_conversation(conversation, delays_the_second(may_answer, NO_STORE + b"v2"))


def test_the_response_to_a_request_sent_before_a_recording_began_is_not_in_the_recording(tmp_path: Path) -> None:
    """Regression: it was, and later requests for the same URL went on to wait for that fetch."""
    may_answer = asyncio.Event()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, own = await front_end.client(), front_end.service.active.own
        await client.fetch(get(origin, "/a"))
        client.send(get(origin, "/b"))
        await until(lambda: len(origin.requests) == 2)
        await front_end.service.recordings.start("record", "one")
        may_answer.set()
        assert (await client.response()).body == b"v2"
        assert not front_end.entries()
        url = f"http://{authority_of(origin)}/b"
        assert [each.target for each in own.store.sync_store.entries()] == [url]
        assert own.fetcher.single_flight.leader(url) is None

    run_conversation(
        conversation,
        delays_the_second(may_answer, FRESH + b"v2"),
        store={"kind": "disk", "path": str(tmp_path / "store")},
        recordings={"path": str(tmp_path / "library")},
    )


# ---- limits


def test_what_has_been_passed_on_is_freed_at_once() -> None:
    """Regression: a direct fetch and its response referred to each other, and waited for the garbage collector."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        gc.disable()
        try:
            for path in ("/a", "/b", "/c"):
                await client.fetch(get(origin, path))
            assert not [each for each in gc.get_objects() if isinstance(each, DirectFetch)]
        finally:
            gc.enable()

    run_conversation(conversation, answering(*[NO_STORE + b"v1"] * 3))


def test_a_template_that_was_dropped_is_not_used_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_templates, "MAX_TEMPLATES", 1)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, templates, found = await front_end.client(), front_end.fast_path.templates, []
        for value in ("1", "2"):
            request = Request("GET", "http", "127.0.0.1", origin.port, "/a", Fields((("X", value),)))
            for path in ("/a", "/b"):
                await client.fetch(get(origin, path, f"X: {value}"))
            found.append(templates.find(request))
        assert [template is not None and templates.is_valid(template) for template in found] == [False, True]
        assert (await client.fetch(get(origin, "/c", "X: 1"))).body == b"v5"

    run_conversation(conversation, answering(*(NO_STORE + b"v%d" % number for number in range(1, 6))))


def test_the_number_of_response_templates_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: each template kept sixteen heads, so requests with many cookies took tens of megabytes."""
    monkeypatch.setattr(request_templates, "MAX_RESPONSE_TEMPLATES", 4)

    async def numbers_its_heads(peer: Peer) -> None:
        for number in range(20):
            await peer.request()
            await peer.send(NO_STORE.replace(b"\r\n\r\n", b"\r\nX-Request-Id: %d\r\n\r\nv1" % number))
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for number in range(20):
            await client.fetch(get(origin, f"/{number}", f"Cookie: a={number // 5}"))
        assert 0 < front_end.fast_path.templates.response_template_count <= 4

    run_conversation(conversation, numbers_its_heads)
