"""Validations: a plan gives each client what the engine would, and ends with all that it depends on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from addon.frontend.http1 import validations
from addon.frontend.http1.batched_counters import BatchedCounters
from addon.frontend.http1.response_head import framing_of, head_bytes
from addon.frontend.http1.validations import PlannedRequest, ValidationPlan, validation_plan
from addon.origin.head_form import FormedHead
from addon.origin.options import OriginOptions
from addon.origin.response_reader import ResponseReader
from addon.pipeline.responder import is_collapsible
from addon.runtime.counters import Counters
from cache import engine
from cache.engine.decisions import Forward, Freshen, Store, Validate
from cache.http.fields import imf_date
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail
from cache.rules.stored_response import StoredResponse
from cache.stores.base import Stamp
from tests.addon.frontend.front_end import Client, FrontEndUnderTest, authority_of, get, run_conversation
from tests.fixtures.raw_origin import Peer, RawOrigin, answering
from tests.lanes.messages import fields_of
from tests.lanes.script import Ask, Conversation, Origin
from tests.lanes.settings import settings_for
from tests.rfc.all_conversations import CONVERSATIONS

NOW = 1_800_000_000.0
DATE, LATER, MODIFIED = imf_date(NOW), imf_date(NOW + 9), imf_date(NOW - 10**6)
_TIME = re.compile(r"\{(?:now|start)(?:[+-][0-9]+)?\}")


# ---- plan and engine


def formed(lines: Fields) -> FormedHead | None:
    text = "".join(f"{name}: {value}\r\n" for name, value in lines)
    reader = ResponseReader("GET", "a.example", OriginOptions())
    reader.feed(f"HTTP/1.1 304 Not Modified\r\n{text}\r\n".encode("latin-1"))
    return reader.formed_head


def stored_response(request: Request, lines: Fields, policy: CachePolicy) -> StoredResponse | None:
    """Return what is stored of a response with these fields to a request, if it is."""
    sent = engine.on_request(request, (), policy, NOW - 9)
    if not isinstance(sent, Forward):
        return None
    received = Received(Response(200, "OK", lines), NOW - 9, NOW - 8)
    outcome = engine.on_response(request, sent, received, policy, "1" * 32)
    return outcome.entry.with_body(7, "2" * 64) if isinstance(outcome, Store) else None


def plan_and_engine(request: Request, stored: Fields, confirming: Fields, policy: CachePolicy) -> bool:
    """Compare the plan of one validation with the engine's decision about the next; return whether there is a plan."""
    entry = stored_response(request, stored, policy)
    if entry is None:
        return False
    sent = engine.on_request(request, (entry,), policy, NOW)
    later = engine.on_request(request, (entry,), policy, NOW + 20)
    is_planned = isinstance(sent, Validate) and sent.detail is Detail.RESPONSE_NO_CACHE
    if not isinstance(sent, Validate) or not is_planned or not is_collapsible(request, sent):
        return False
    first, second = (formed(Fields((("Date", date), *confirming))) for date in (DATE, LATER))
    if first is None or second is None:
        return False
    outcome = engine.on_response(request, sent, Received(first.parsed.response, NOW, NOW + 1), policy, "3" * 32)
    plan = plan_of(request, sent, first, outcome, policy)
    if plan is None or not plan.is_confirmed_by(second, NOW + 21):
        return False
    assert later == sent
    received = Received(second.parsed.response, NOW + 20, NOW + 21)
    expected = engine.on_response(request, sent, received, policy, "4" * 32)
    assert isinstance(expected, Freshen)
    assert expected.changes == ()
    framing = framing_of(expected.response.head, "GET", request.version, persistent=True)
    assert plan.head % second.open_values[plan.date].encode() == head_bytes(expected.response.head, framing)
    assert isinstance(outcome, Freshen)
    assert (outcome.handling, plan.response.length) == (expected.handling, expected.response.length)
    return True


class SentOnce:
    """A short request that was sent to one origin."""

    longest = 0


def plan_of(
    request: Request, sent: Validate, head: FormedHead, outcome: object, policy: CachePolicy
) -> ValidationPlan | None:
    if not isinstance(outcome, Freshen):
        return None
    planned = PlannedRequest(
        policy=policy,
        sent=sent,
        open_requests=SentOnce(),
        head_as_sent=b"",
        request=request,
        stamp=Stamp(0, 0, 0, (), 0, ""),
        decided_at=NOW,
    )
    return validation_plan(planned, head, outcome, BatchedCounters(Counters()))


def exchanges(conversation: Conversation) -> Iterator[tuple[Fields, str, Fields]]:
    """Iterate over the fields and targets of all requests of a conversation, with the fields of all responses in it."""
    for ask in (step for step in conversation.steps if isinstance(step, Ask)):
        for response in (step for step in conversation.steps if isinstance(step, Origin)):
            asked, sent = (fields_of(tuple(_TIME.sub(DATE, each) for each in step.fields)) for step in (ask, response))
            if ask.line.startswith("GET ") and "{" not in f"{asked}{sent}":
                yield asked, ask.line.removeprefix("GET "), sent


def test_a_plan_leads_to_what_the_engine_decides_in_every_conversation() -> None:
    """Each response in them is taken for one with `no-cache`, and its validators for those of a 304."""
    compared = 0
    for conversation in CONVERSATIONS:
        policy = settings_for(conversation).policy()
        for fields, target, lines in exchanges(conversation):
            request = Request("GET", "http", "a.example", 80, target, fields)
            lines = lines.without(["transfer-encoding", "content-length", "date"]).appending(("Date", DATE))
            stored = lines.appending(("Cache-Control", "no-cache"))
            stored = stored if "etag" in stored else stored.appending(("ETag", '"a"'))
            for names in (["etag"], ["etag", "last-modified"], ["etag", "cache-control", "vary", "set-cookie"]):
                confirming = Fields(tuple(line for line in stored if line[0].lower() in names))
                compared += plan_and_engine(request, stored, confirming, policy)
    assert compared > 300


STORED = Fields((("Date", DATE), ("ETag", '"a"'), ("Last-Modified", MODIFIED), ("Cache-Control", "no-cache")))


@pytest.mark.parametrize(
    ("fields", "confirming", "has_plan"),
    [
        ((), (), True),
        ((("If-None-Match", '"a"'),), (), True),
        ((("Accept", "*/*"),), (("X-New", "yes"),), False),
        ((("If-Modified-Since", MODIFIED),), (), False),
        ((("Range", "bytes=0-0"),), (), False),
        ((), (("Age", "3"),), False),
        ((), (("Cache-Control", "max-age=60"),), False),
        ((), (("Cache-Control", "no-store"),), False),
    ],
    ids=str,
)
def test_there_is_a_plan_only_if_the_304_changes_nothing(
    fields: tuple[tuple[str, str], ...], confirming: tuple[tuple[str, str], ...], *, has_plan: bool
) -> None:
    request = Request("GET", "http", "a.example", 80, "/a", Fields(fields))
    lines = Fields((("ETag", '"a"'), *confirming))
    stored = Fields((*(line for line in STORED if line[0] != "ETag"), ("ETag", '"a"')))
    assert plan_and_engine(request, stored, lines, CachePolicy()) is has_plan


# ---- through the front end

OK = f'HTTP/1.1 200 OK\r\nDate: {DATE}\r\nCache-Control: no-cache\r\nETag: "a"\r\nContent-Length: 2\r\n\r\nv1'.encode()
CONFIRMED = b'HTTP/1.1 304 Not Modified\r\nDate: %b\r\nETag: "a"\r\n\r\n'
DATES = [imf_date(NOW + number).encode() for number in range(1, 9)]


def plans(front_end: FrontEndUnderTest) -> int:
    return len(front_end.fast_path.validations)


async def fetch_three_times(front_end: FrontEndUnderTest, origin: RawOrigin) -> Client:
    """Have a response stored and validated twice, so that there is a plan. Return the client."""
    client = await front_end.client()
    for _ in range(3):
        await client.fetch(get(origin, "/a"))
    assert plans(front_end) == 1
    return client


CONFIRMATIONS = [CONFIRMED % date for date in DATES]


def test_a_plan_sends_the_date_of_each_304_and_is_counted() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await fetch_three_times(front_end, origin)
        responses = [await client.fetch(get(origin, "/a")) for _ in range(3)]
        assert [each.fields.get("date") for each in responses] == [date.decode() for date in DATES[2:5]]
        assert {(each.status, each.body) for each in responses} == {(203, b"v1")}
        assert responses[0].fields.get("cache-status") == ("secondhand; fwd=stale; fwd-status=304; detail=no-cache")
        counters = front_end.service.counters.snapshot()
        names = ("requests", "origin.fetches", "origin.validations", "answers.stale", "octets.from_copy")
        assert [counters[name] for name in names] == [6, 6, 5, 5, 10]
        assert all(b'If-None-Match: "a"' in request for request in origin.requests[1:])

    run_conversation(conversation, answering(OK, *CONFIRMATIONS[:5]))


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (OK.replace(b'"a"', b'"b"').replace(b"v1", b"v2"), b"v2"),
        (CONFIRMED.replace(b"\r\n\r\n", b"\r\nX-New: yes\r\n\r\n") % DATES[3], b"v1"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nCache-Control: no-store\r\n\r\nno", b"no"),
        (CONFIRMED % b"Mon, 31 Feb 2026 12:00:00 GMT", b"v1"),
    ],
    ids=["200", "another-field", "404", "invalid-date"],
)
def test_another_response_ends_the_plan(response: bytes, body: bytes) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await fetch_three_times(front_end, origin)
        answer = await client.fetch(get(origin, "/a"))
        assert answer.body == body
        assert plans(front_end) == 0
        if b"X-New" in response:
            assert front_end.entries()[0].head.fields.get("x-new") == "yes"

    run_conversation(conversation, answering(OK, *CONFIRMATIONS[:2], response))


def test_a_purge_ends_the_plan() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await fetch_three_times(front_end, origin)
        front_end.service.store.delete(f"http://{authority_of(origin)}/a")
        assert (await client.fetch(get(origin, "/a"))).status == 200
        assert b"If-None-Match" not in origin.requests[-1]

    run_conversation(conversation, answering(OK, *CONFIRMATIONS[:2], OK))


def test_another_policy_ends_the_plan() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await fetch_three_times(front_end, origin)
        fetcher = front_end.service.active.current.fetcher
        fetcher.use_policy(
            replace(fetcher.policy, presentation=replace(fetcher.policy.presentation, cache_status=False))
        )
        assert "cache-status" not in (await client.fetch(get(origin, "/a"))).fields

    run_conversation(conversation, answering(OK, *CONFIRMATIONS[:3]))


def test_the_date_is_stored_once_a_minute() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await fetch_three_times(front_end, origin)
        (before,) = front_end.entries()
        front_end.clock.advance(61)
        await client.fetch(get(origin, "/a"))
        (after,) = front_end.entries()
        assert after.response_time == before.response_time + 61
        assert after.head.fields.get("date") == DATES[2].decode()
        assert plans(front_end) == 0
        await client.fetch(get(origin, "/a"))
        assert front_end.entries() == (after,)
        assert plans(front_end) == 1

    run_conversation(conversation, answering(OK, *CONFIRMATIONS[:4]))


def test_clients_whose_requests_are_planned_do_not_wait_for_each_other() -> None:
    both_asked = asyncio.Barrier(2)

    async def beside_the_other(peer: Peer) -> None:
        for reply in (OK, CONFIRMATIONS[2]):
            await peer.request()
            await both_asked.wait()
            await peer.send(reply)
        await peer.client_closed()

    async def first_connection(peer: Peer) -> None:
        for reply in (OK, *CONFIRMATIONS[:2]):
            await peer.request()
            await peer.send(reply)
        await beside_the_other(peer)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        one, other = await fetch_three_times(front_end, origin), await front_end.client()
        await asyncio.gather(one.fetch(get(origin, "/b")), other.fetch(get(origin, "/c")))  # opens two connections
        responses = await asyncio.gather(*(client.fetch(get(origin, "/a")) for client in (one, other)))
        assert [(each.status, each.body) for each in responses] == [(203, b"v1")] * 2

    # nobody may wait, even if that had no limit
    run_conversation(conversation, first_connection, beside_the_other, cache={"collapse_timeout": "1h"})


def test_a_connection_that_has_ended_is_replaced() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await fetch_three_times(front_end, origin)
        assert (await client.fetch(get(origin, "/a"))).body == b"v1"

    last = CONFIRMATIONS[1].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    run_conversation(conversation, answering(OK, CONFIRMATIONS[0], last), answering(CONFIRMATIONS[2]))


def test_the_number_of_plans_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validations, "MAX_PLANS", 2)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for number in range(4):
            for _ in range(3):
                await client.fetch(get(origin, f"/{number}"))
        assert plans(front_end) == 2

    run_conversation(conversation, answering(*[OK, *CONFIRMATIONS[:2]] * 4))
