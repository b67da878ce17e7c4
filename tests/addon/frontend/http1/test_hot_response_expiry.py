"""What ends an answer that is ready: whatever changes what the engine would say, at once."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from addon.frontend.http1 import fast_path
from addon.frontend.http1.hot_response import HotResponse
from cache.rules.key import key_of_uri
from tests.addon.frontend.front_end import Client, FrontEndUnderTest, echo_path, get, run_conversation
from tests.fixtures.raw_origin import HEAD, OK, RawOrigin, answering

FRESH = HEAD + b'Cache-Control: max-age=60\r\nETag: "1"\r\nContent-Length: 2\r\n\r\n'

type Happening = Callable[[FrontEndUnderTest, RawOrigin, Client], Awaitable[None]]


def key_of(origin: RawOrigin) -> str:
    return key_of_uri(f"http://127.0.0.1:{origin.port}/a")


async def purge(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    front_end.service.store.delete(key_of(origin))


async def purge_of_everything(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    front_end.service.store.clear()


async def invalidation(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    front_end.service.store.invalidate(key_of(origin))


async def an_unsafe_request(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    assert (await client.fetch(get(origin, "/a", method="DELETE"))).status == 200


async def a_reload(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    assert (await client.fetch(get(origin, "/a", "Cache-Control: no-cache"))).body == b"v2"


async def time(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    front_end.house.time.pass_(60)


async def another_policy(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    front_end.service.active.set_policy(
        replace(front_end.service.policy, identity=replace(front_end.service.policy.identity, name="another"))
    )


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
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        asked = get(origin, "/a")
        assert [(await client.fetch(asked)).status for _ in range(4)] == [200, 203, 203, 203]
        assert len(front_end.fast_path.hot) == 1
        await happening(front_end, origin, client)
        assert (await client.fetch(asked)).body == b"v2"
        assert [(await client.fetch(asked)).body for _ in range(2)] == [b"v2"] * 2

    scripts = [FRESH + b"v1", *[OK if body == b"ok" else FRESH + body for body in answers]]
    store = {"kind": kind, "path": str(tmp_path_factory.mktemp("store"))} if kind == "disk" else {"kind": kind}
    run_conversation(conversation, answering(*scripts), store=store)


def test_another_policy_ends_it_at_once() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(3):
            response = await client.fetch(get(origin, "/a"))
        await another_policy(front_end, origin, client)
        response = await client.fetch(get(origin, "/a"))
        assert (response.fields.get("cache-status") or "").startswith("another; hit")

    run_conversation(conversation, answering(FRESH + b"v1"))


def test_a_client_that_wants_nothing_older_than_that_gets_nothing_older() -> None:
    """The engine said that such a decision holds for as long as the copy is fresh."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        asked = get(origin, "/a", "Cache-Control: max-age=5")
        assert [(await client.fetch(asked)).body for _ in range(3)] == [b"v1"] * 3
        front_end.house.time.pass_(6)
        assert (await client.fetch(asked)).body == b"v2"

    run_conversation(conversation, answering(FRESH + b"v1", FRESH + b"v2"))


def test_age_and_ttl_count_on() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for seconds in (0, 0, 0, 10, 10):
            front_end.house.time.pass_(seconds)
            response = await client.fetch(get(origin, "/a"))
        assert response.fields.get("age") == "20"
        assert response.fields.get("cache-status") == "secondhand; hit; ttl=40"

    run_conversation(conversation, answering(FRESH + b"v1"))


def test_what_a_head_alone_makes_different_is_never_mixed_up() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        for _ in range(3):
            assert (await client.fetch(get(origin, "/a"))).status == 203
            assert (await client.fetch(get(origin, "/a", 'If-None-Match: "1"'))).status == 304
            assert (await client.fetch(get(origin, "/a", "Range: bytes=0-0"))).body == b"v"
            assert (await client.fetch(get(origin, "/a", method="HEAD"))).body == b""
        closing = await client.fetch(get(origin, "/a", "Connection: close"))
        assert closing.fields.get("connection") == "close"
        assert await client.rest() == b""

    run_conversation(conversation, answering(FRESH + b"v1"))


def test_two_answers_at_once_are_counted_twice() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        await client.fetch(get(origin, "/a"))
        clients = [await front_end.client() for _ in range(2)]
        await asyncio.gather(*(each.fetch(get(origin, "/a")) for each in clients))
        assert front_end.house.risen("hits") == 2

    run_conversation(conversation, answering(FRESH + b"v1"))


def test_a_percent_sign_in_the_name_of_a_field_is_repeated() -> None:
    """It was taken for a place to be filled in, and the connection ended."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = [await client.fetch(get(origin, "/a")) for _ in range(3)]
        assert [(each.status, each.fields.get("x-%d%")) for each in response] == [(200, "1"), (203, "1"), (203, "1")]

    run_conversation(conversation, answering(FRESH.replace(b"ETag", b"X-%d%: 1\r\nETag") + b"v1"))


def test_what_the_pool_let_go_of_is_not_held_until_the_store_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """More answers than the store is told of in a second waited for their turn, all in memory."""
    monkeypatch.setattr(fast_path, "MAX_USES_REPORTED", 3)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(2):
            for number in range(20):
                await client.fetch(get(origin, f"/fresh{number}"))
        assert len(front_end.fast_path.hot) < 5
        assert sum(isinstance(each, HotResponse) for each in gc.get_objects()) <= len(front_end.fast_path.hot) + 3

    run_conversation(conversation, echo_path, memory={"max_size": 4096})
