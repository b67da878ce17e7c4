"""Answers that are ready say what the engine would say, until something changes, and never after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.door.hot import HotAnswer, Tally, hot_answer
from addon.door.response_head import framing_of, head_octets
from cache import engine
from cache.decisions import Serve
from cache.entry import StoredResponse
from cache.fields import imf_date
from cache.key import key_of_uri, primary_key
from cache.messages import Fields, Request, Response
from cache.policy import AnnotationRule, CachePolicy
from tests.addon.raw_origin import HEAD, OK, RawOrigin, answering
from tests.cache.strategies import BEGINNING, unhurried
from tests.door.doorway import Client, Doorway, converse, get

PLAIN = CachePolicy()

# ---- the property

_RESPONSE = {
    "Cache-Control": ["max-age=60", "max-age=3", "s-maxage=9, max-age=1", "public", "max-age=60, must-revalidate",
                      "max-age=1, stale-while-revalidate=30", "max-age=4, stale-if-error=60", "no-cache", "private"],
    "Age": ["0", "2", "59", "100%", "x"],
    "ETag": ['"a"', 'W/"%d"', '"a; ttl=60"'],
    "Last-Modified": [imf_date(BEGINNING - 1000)],
    "Expires": [imf_date(BEGINNING + 30), "0"],
    "Vary": ["Accept-Language", "X-Other", "Cookie"],
    "Content-Type": ["text/plain", "text/%s"],
    "Cache-Status": ["upstream; hit; ttl=60", "secondhand; hit; ttl=59"],
    "Warning": ["110 - stale"],
    "X-Own": ["%d %% %(age)s", "; ttl=60", "Age: 5"],
}  # fmt: skip
_REQUEST = {
    "Cache-Control": ["max-age=5", "max-stale", "max-stale=3", "min-fresh=2", "no-cache", "only-if-cached"],
    "Accept-Language": ["en", "de"],
    "Range": ["bytes=0-1", "bytes=-1", "bytes=9-"],
    "If-None-Match": ['"a"', "*"],
    "If-Modified-Since": [imf_date(BEGINNING)],
    "User-Agent": ["cargo 1.0", "Mozilla/5.0"],
    "Connection": ["keep-alive"],
}  # fmt: skip


def _some(table: dict[str, list[str]]) -> st.SearchStrategy[Fields]:
    lines = st.sampled_from([(name, value) for name, values in table.items() for value in values])
    return st.lists(lines, max_size=4, unique_by=lambda line: line[0]).map(lambda drawn: Fields(tuple(drawn)))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Request, StoredResponse, CachePolicy, float]:
    """A request, what is stored for it, the policy, and when it comes."""
    method = draw(st.sampled_from(["GET", "HEAD"]))
    version = draw(st.sampled_from(["HTTP/1.1", "HTTP/1.0"]))
    request = Request(method, "http", "a.example", 80, "/", draw(_some(_REQUEST)), version)
    fields = draw(_some(_RESPONSE)).replacing("Date", imf_date(BEGINNING)).replacing("Content-Length", "4")
    vary = tuple((name.lower(), request.fields.get(name)) for name in (fields.get("vary") or "").split(", ") if name)
    head = Response(draw(st.sampled_from([200, 203, 404, 301])), draw(st.sampled_from(["OK", "100 %d"])), fields)
    asked_at = BEGINNING + draw(st.floats(0, 5))
    came_at = asked_at + draw(st.floats(0, 5))
    key = primary_key(request)
    entry = StoredResponse("0" * 32, key, "GET", request.uri, head, asked_at, came_at, came_at, vary, 4)
    policy = CachePolicy(
        cache_status=draw(st.booleans()), memento=draw(st.booleans()), conservative_age=draw(st.booleans())
    )
    return request, entry, policy, came_at + draw(st.floats(0, 70))


def fresh(request: Request, entry: StoredResponse, policy: CachePolicy, now: float) -> bytes:
    """What the engine says at that time, as octets of a head."""
    decision = engine.on_request(request, (entry,), policy, now)
    assert isinstance(decision, Serve)
    head = decision.answer.head
    return head_octets(head, framing_of(head, request.method, request.version, persistent=True))


@given(situations(), st.floats(0, 1, exclude_max=True))
@settings(unhurried, max_examples=500)
def test_an_answer_that_is_ready_is_the_engines_at_any_time_until_it_ends(
    situation: tuple[Request, StoredResponse, CachePolicy, float], part: float
) -> None:
    request, entry, policy, now = situation
    decision = engine.on_request(request, (entry,), policy, now)
    if not isinstance(decision, Serve):
        return
    answer = hot_answer(request, decision, b"body", policy, now, (0, 1), Tally("http", None))
    if answer is None:
        return
    later = now + (min(answer.valid_until, now + 1e6) - now) * part
    if later < answer.valid_until:
        assert answer.head(later) == fresh(request, entry, policy, later)


def test_such_answers_exist() -> None:
    assert (answer := _ready()) is not None
    assert answer.valid_until == BEGINNING + 60


def test_an_answer_that_says_its_age_in_a_field_of_its_own_is_made_anew_each_time() -> None:
    rule = AnnotationRule(set=(("X-Age", "{age}"),))
    assert _ready(CachePolicy(annotations=(rule,))) is None


def _ready(policy: CachePolicy = PLAIN) -> HotAnswer | None:
    request = Request("GET", "http", "a.example", 80, "/")
    fields = Fields((("Cache-Control", "max-age=60"), ("Date", imf_date(BEGINNING)), ("Content-Length", "4")))
    entry = StoredResponse(
        "0" * 32, primary_key(request), "GET", request.uri, Response(200, "OK", fields), *[BEGINNING] * 3, length=4
    )
    decision = engine.on_request(request, (entry,), policy, BEGINNING)
    assert isinstance(decision, Serve)
    return hot_answer(request, decision, b"body", policy, BEGINNING, (0, 1), Tally("http", None))


# ---- what ends it, over a socket

FRESH = HEAD + b'Cache-Control: max-age=60\r\nETag: "1"\r\nContent-Length: 2\r\n\r\n'

type Happening = Callable[[Doorway, RawOrigin, Client], Awaitable[None]]


def key_of(origin: RawOrigin) -> str:
    return key_of_uri(f"http://127.0.0.1:{origin.port}/a")


async def purge(doorway: Doorway, origin: RawOrigin, client: Client) -> None:
    doorway.service.store.delete(key_of(origin))


async def purge_of_everything(doorway: Doorway, origin: RawOrigin, client: Client) -> None:
    doorway.service.store.clear()


async def invalidation(doorway: Doorway, origin: RawOrigin, client: Client) -> None:
    doorway.service.store.invalidate(key_of(origin))


async def an_unsafe_request(doorway: Doorway, origin: RawOrigin, client: Client) -> None:
    assert (await client.ask(get(origin, "/a", method="DELETE"))).status == 200


async def a_reload(doorway: Doorway, origin: RawOrigin, client: Client) -> None:
    assert (await client.ask(get(origin, "/a", "Cache-Control: no-cache"))).body == b"v2"


async def time(doorway: Doorway, origin: RawOrigin, client: Client) -> None:
    doorway.house.time.pass_(60)


async def another_policy(doorway: Doorway, origin: RawOrigin, client: Client) -> None:
    doorway.service.go_by(replace(doorway.service.policy, name="another"))


@pytest.mark.parametrize(
    ("happening", "answers"),
    [
        (purge, [b"v2"]),
        (purge_of_everything, [b"v2"]),
        (invalidation, [b"v2"]),
        (an_unsafe_request, [b"ok", b"v2"]),
        (a_reload, [b"v2"]),
        (time, [b"v2"]),
    ],
)
@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_an_answer_that_is_ready_ends_at_once_with(
    happening: Happening, answers: list[bytes], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        asked = get(origin, "/a")
        assert [(await client.ask(asked)).status for _ in range(4)] == [200, 203, 203, 203]
        assert len(doorway.door.pool) == 1
        await happening(doorway, origin, client)
        assert (await client.ask(asked)).body == b"v2"
        assert [(await client.ask(asked)).body for _ in range(2)] == [b"v2"] * 2

    scripts = [FRESH + b"v1", *[OK if body == b"ok" else FRESH + body for body in answers]]
    store = {"kind": kind, "path": str(tmp_path_factory.mktemp("store"))} if kind == "disk" else {"kind": kind}
    converse(conversation, answering(*scripts), store=store)


def test_another_policy_ends_it_at_once() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        for _ in range(3):
            heard = await client.ask(get(origin, "/a"))
        await another_policy(doorway, origin, client)
        heard = await client.ask(get(origin, "/a"))
        assert (heard.fields.get("cache-status") or "").startswith("another; hit")

    converse(conversation, answering(FRESH + b"v1"))


def test_a_client_that_wants_nothing_older_than_that_gets_nothing_older() -> None:
    """The engine said that such a decision holds for as long as the copy is fresh."""

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        asked = get(origin, "/a", "Cache-Control: max-age=5")
        assert [(await client.ask(asked)).body for _ in range(3)] == [b"v1"] * 3
        doorway.house.time.pass_(6)
        assert (await client.ask(asked)).body == b"v2"

    converse(conversation, answering(FRESH + b"v1", FRESH + b"v2"))


def test_age_and_ttl_count_on() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        for seconds in (0, 0, 0, 10, 10):
            doorway.house.time.pass_(seconds)
            heard = await client.ask(get(origin, "/a"))
        assert heard.fields.get("age") == "20"
        assert heard.fields.get("cache-status") == "secondhand; hit; ttl=40"

    converse(conversation, answering(FRESH + b"v1"))


def test_what_a_head_alone_makes_different_is_never_mixed_up() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        await client.ask(get(origin, "/a"))
        for _ in range(3):
            assert (await client.ask(get(origin, "/a"))).status == 203
            assert (await client.ask(get(origin, "/a", 'If-None-Match: "1"'))).status == 304
            assert (await client.ask(get(origin, "/a", "Range: bytes=0-0"))).body == b"v"
            assert (await client.ask(get(origin, "/a", method="HEAD"))).body == b""
        closing = await client.ask(get(origin, "/a", "Connection: close"))
        assert closing.fields.get("connection") == "close"
        assert await client.rest() == b""

    converse(conversation, answering(FRESH + b"v1"))


def test_two_answers_at_once_are_counted_twice() -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        await client.ask(get(origin, "/a"))
        clients = [await doorway.client() for _ in range(2)]
        await asyncio.gather(*(each.ask(get(origin, "/a")) for each in clients))
        assert doorway.house.risen("hits") == 2

    converse(conversation, answering(FRESH + b"v1"))
