"""What one hostile connection can pin (yardstick A26, row 15): at most 1 MiB, whatever it sends."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.front_end import FrontEndUnderTest, echo_path, get, run_conversation, until
from tests.fixtures.raw_origin import Peer, RawOrigin


def held(front_end: FrontEndUnderTest) -> int:
    """Return the octets that the door's connections hold of their clients' requests and of answers to them."""
    return sum(
        len(each._buffer) + each.transport.get_write_buffer_size()  # type: ignore[attr-defined] # nothing else tells
        for each in front_end.connections
    )


@pytest.mark.parametrize("path", ["/fresh", "/miss"])
def test_a_flood_of_requests_by_a_client_that_does_not_read_holds_no_more_than_1_mib(path: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        reader = await front_end.client()
        assert (await reader.fetch(get(origin, path))).status == 200
        client = await front_end.client(receive_buffer=4096, limit=1024)
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        flood = get(origin, path, "X: " + "a" * 200) * 100
        while client.writer.transport.get_write_buffer_size() < 2**20:  # until the client has to wait
            client.send(flood)
            for _ in range(3):
                await asyncio.sleep(0)
            assert held(front_end) <= 2**20

    run_conversation(conversation, echo_path)


def test_a_flood_behind_an_answer_that_does_not_come_makes_the_client_wait() -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        client.send(get(origin, "/a"))
        await until(lambda: bool(origin.requests))
        while client.writer.transport.get_write_buffer_size() < 2**20:
            client.send(get(origin, "/b") * 1000)
            await asyncio.sleep(0)
            assert held(front_end) <= 2**20
        assert len(origin.requests) == 1

    run_conversation(conversation, silent)
