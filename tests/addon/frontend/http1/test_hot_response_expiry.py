"""A hot response ends at once when something changes the engine's decision."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from addon.frontend.http1 import fast_path
from addon.frontend.http1.hot_response import HotResponse
from cache.rules.key import key_of_uri
from tests.addon.frontend.front_end import Client, FrontEndUnderTest, authority_of, echo_path, get, run_conversation
from tests.fixtures.raw_origin import HEAD, OK, RawOrigin, answering
from tests.fixtures.stored_entries import purge_all

FRESH = HEAD + b'Cache-Control: max-age=60\r\nETag: "1"\r\nContent-Length: 2\r\n\r\n'

type Change = Callable[[FrontEndUnderTest, RawOrigin, Client], Awaitable[None]]


def key_of(origin: RawOrigin) -> str:
    return key_of_uri(f"http://{authority_of(origin)}/a")


# ---- changes


async def purge(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    front_end.service.store.delete(key_of(origin))


async def purge_of_everything(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    purge_all(front_end.service.store)


async def invalidation(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    front_end.service.store.invalidate(key_of(origin))


async def unsafe_request(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    assert (await client.fetch(get(origin, "/a", method="DELETE"))).status == 200


async def reload(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    assert (await client.fetch(get(origin, "/a", "Cache-Control: no-cache"))).body == b"v2"


async def expiry(front_end: FrontEndUnderTest, origin: RawOrigin, client: Client) -> None:
    front_end.clock.advance(60)


@pytest.mark.parametrize(
    ("change", "bodies"),
    [
        (purge, [b"v2"]),
        (purge_of_everything, [b"v2"]),
        (invalidation, [b"v2"]),
        (unsafe_request, [b"ok", b"v2"]),
        (reload, [b"v2"]),
        (expiry, [b"v2"]),
    ],
)
@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_a_hot_response_ends_at_once_with_each_change(
    change: Change, bodies: list[bytes], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        request = get(origin, "/a")
        assert [(await client.fetch(request)).status for _ in range(4)] == [200, 203, 203, 203]
        assert len(front_end.fast_path.hot) == 1
        await change(front_end, origin, client)
        assert (await client.fetch(request)).body == b"v2"
        assert [(await client.fetch(request)).body for _ in range(2)] == [b"v2"] * 2

    responses = [FRESH + b"v1", *[OK if body == b"ok" else FRESH + body for body in bodies]]
    store = {"kind": kind, "path": str(tmp_path_factory.mktemp("store"))} if kind == "disk" else {"kind": kind}
    run_conversation(conversation, answering(*responses), store=store)


def test_a_hot_response_ends_at_once_with_a_new_policy() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, service = await front_end.client(), front_end.service
        for _ in range(3):
            await client.fetch(get(origin, "/a"))
        renamed = replace(service.policy, identity=replace(service.policy.identity, name="another"))
        service.active.set_policy(renamed)
        response = await client.fetch(get(origin, "/a"))
        assert (response.fields.get("cache-status") or "").startswith("another; hit")

    run_conversation(conversation, answering(FRESH + b"v1"))


def test_a_hot_response_ends_with_the_max_age_of_the_request() -> None:
    """Regression: the engine declared its decision valid for as long as the stored response was fresh."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        request = get(origin, "/a", "Cache-Control: max-age=5")
        assert [(await client.fetch(request)).body for _ in range(3)] == [b"v1"] * 3
        front_end.clock.advance(6)
        assert (await client.fetch(request)).body == b"v2"

    run_conversation(conversation, answering(FRESH + b"v1", FRESH + b"v2"))


# ---- what a hot response contains


def test_age_and_ttl_follow_the_time() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for seconds in (0, 0, 0, 10, 10):
            front_end.clock.advance(seconds)
            response = await client.fetch(get(origin, "/a"))
        assert response.fields.get("age") == "20"
        assert response.fields.get("cache-status") == "secondhand; hit; ttl=40"

    run_conversation(conversation, answering(FRESH + b"v1"))


def test_requests_with_different_heads_have_different_hot_responses() -> None:
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


def test_a_percent_sign_in_a_field_name_is_kept() -> None:
    """Regression: it was taken for a placeholder of the template, and the connection ended."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        responses = [await client.fetch(get(origin, "/a")) for _ in range(3)]
        assert [(each.status, each.fields.get("x-%d%")) for each in responses] == [(200, "1"), (203, "1"), (203, "1")]

    run_conversation(conversation, answering(FRESH.replace(b"ETag", b"X-%d%: 1\r\nETag") + b"v1"))


# ---- counters and memory


def test_two_hot_responses_at_once_count_as_two_hits() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await (await front_end.client()).fetch(get(origin, "/a"))
        clients = [await front_end.client() for _ in range(2)]
        await asyncio.gather(*(each.fetch(get(origin, "/a")) for each in clients))
        assert front_end.service.counters.snapshot()["hits"] == 2

    run_conversation(conversation, answering(FRESH + b"v1"))


def test_removed_hot_responses_do_not_stay_in_memory_until_their_use_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Regression: responses above the number that is reported each second waited for later seconds."""
    monkeypatch.setattr(fast_path, "MAX_USES_REPORTED", 3)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(2):
            for number in range(20):
                await client.fetch(get(origin, f"/fresh{number}"))
        assert len(front_end.fast_path.hot) < 5
        in_memory = sum(isinstance(each, HotResponse) for each in gc.get_objects())
        assert in_memory <= len(front_end.fast_path.hot) + 3

    run_conversation(conversation, echo_path, memory={"max_size": 4096})
