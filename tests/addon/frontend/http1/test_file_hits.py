"""Hits from files of the store: decided once, and again as soon as the decision might be another one."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from addon.frontend.connections import STALL_TIMEOUT
from cache import engine
from cache.http.messages import Request
from cache.rules.key import key_of_uri
from tests.addon.frontend.front_end import FrontEndUnderTest, authority_of, get, run_conversation
from tests.addon.frontend.http1.test_send import BODY, body_file, cacheable, client_of_stored_body, on_disk
from tests.fixtures.raw_origin import RawOrigin
from tests.fixtures.until import until


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the target of each request that the engine decides."""
    targets: list[str] = []
    decide = engine.on_request

    def noted(request: Request, *args: Any) -> Any:
        targets.append(request.uri)
        return decide(request, *args)

    monkeypatch.setattr(engine, "on_request", noted)
    return targets


def test_the_engine_decides_once_for_equal_requests(tmp_path: Path, decisions: list[str]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_of_stored_body(front_end, origin)
        first = await client.fetch(get(origin, "/a"))
        decisions.clear()
        front_end.clock.advance(7)
        later = [await client.fetch(get(origin, "/a")) for _ in range(3)]
        assert [response.body == BODY for response in later] == [True] * 3
        assert decisions == []
        assert (first.fields.get("age"), first.fields.get("cache-status")) == ("0", "secondhand; hit; ttl=600")
        assert {(response.fields.get("age"), response.fields.get("cache-status")) for response in later} == {
            ("7", "secondhand; hit; ttl=593")
        }
        counters = front_end.service.counters.snapshot()
        assert (counters["requests"], counters["hits"]) == (5, 4)
        assert counters["octets.from_copy"] == 4 * len(BODY)

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_each_part_of_a_file_is_a_decision_of_its_own(tmp_path: Path, decisions: list[str]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_of_stored_body(front_end, origin)
        for spec, part in (("0-199999", BODY[:200_000]), ("100000-299999", BODY[100_000:300_000])):
            request = get(origin, "/a", f"Range: bytes={spec}")
            await client.fetch(request)
            decisions.clear()
            response = await client.fetch(request)
            assert (response.status, response.body == part, decisions) == (206, True, [])

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_a_change_or_the_end_of_freshness_needs_a_new_decision(tmp_path: Path, decisions: list[str]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_of_stored_body(front_end, origin)
        key = key_of_uri(f"http://{authority_of(origin)}/a")

        async def ask() -> int:
            response = await client.fetch(get(origin, "/a"))
            assert response.body == BODY
            return response.status

        assert [await ask(), await ask()] == [203, 203]
        front_end.service.store.delete(key)
        assert await ask() == 200
        await until(lambda: bool(front_end.entries()))
        assert [await ask(), await ask()] == [203, 203]
        front_end.clock.advance(601)
        assert await ask() == 200
        assert len(origin.requests) == 3

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_a_damaged_file_is_noticed_and_fetched_again(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_of_stored_body(front_end, origin)
        assert [(await client.fetch(get(origin, "/a"))).status for _ in range(2)] == [203, 203]
        os.truncate(body_file(tmp_path), 1_000_000)
        response = await client.fetch(get(origin, "/a"))
        assert (response.status, response.body == BODY) == (200, True)
        assert front_end.service.counters.snapshot()["requests"] == 4

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_pipelined_requests_for_a_file_are_answered_in_order(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_of_stored_body(front_end, origin)
        whole, part = get(origin, "/a"), get(origin, "/a", "Range: bytes=0-99999")
        client.send((whole + part) * 3)
        assert [(await client.response()).status for _ in range(6)] == [203, 206] * 3

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_a_client_that_reads_slowly_gets_its_whole_time_again(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await client_of_stored_body(front_end, origin)
        client = await front_end.client(receive_buffer=4096, read_limit=4096)
        await until(lambda: len(front_end.connections) == 2)
        for connection in front_end.connections:
            connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        client.send(get(origin, "/a", "Connection: close"))
        await client.head()
        received = 0
        for _ in range(5):
            chunk = await client.read(len(BODY) // 5)
            received += len(chunk)
            front_end.advance_deadlines(STALL_TIMEOUT * 0.9)
        assert received == len(BODY)

    run_conversation(conversation, cacheable, **on_disk(tmp_path))
