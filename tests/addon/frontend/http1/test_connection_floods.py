"""A client that floods the proxy makes it hold at most 1 MiB.

See docs/decisions.md, "One connection can hold at most 1 MiB of memory".
"""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import FrontEndUnderTest, echo_path, get, run_conversation, silent, unread
from tests.fixtures.raw_origin import RawOrigin
from tests.fixtures.until import until

MEBIBYTE = 2**20


def held(front_end: FrontEndUnderTest) -> int:
    """Return how many bytes of requests and of unread responses the client connections hold."""
    return sum(len(each._buffer) + unread(each) for each in front_end.connections)


@pytest.mark.parametrize("path", ["/fresh", "/miss"])
def test_a_client_that_sends_requests_and_does_not_read_is_no_longer_read(path: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        assert (await (await front_end.client()).fetch(get(origin, path))).status == 200
        client = await front_end.client_that_does_not_read()
        flood = get(origin, path, "X: " + "a" * 200) * 100
        while client.unsent < MEBIBYTE:
            client.send(flood)
            for _ in range(3):
                await asyncio.sleep(0)
            assert held(front_end) <= MEBIBYTE

    run_conversation(conversation, echo_path)


def test_a_client_that_sends_requests_while_one_is_being_answered_is_no_longer_read() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a"))
        await until(lambda: bool(origin.requests))
        while client.unsent < MEBIBYTE:
            client.send(get(origin, "/b") * 1000)
            await asyncio.sleep(0)
            assert held(front_end) <= MEBIBYTE
        assert len(origin.requests) == 1

    run_conversation(conversation, silent)
