"""What one hostile connection can pin (yardstick A26, row 15): at most 1 MiB, whatever it sends."""

from __future__ import annotations

import asyncio

import pytest

from tests.addon.frontend.doorway import Doorway, by_path, converse, get, until
from tests.fixtures.raw_origin import Peer, RawOrigin


def held(doorway: Doorway) -> int:
    """Return the octets that the door's connections hold of their clients' requests and of answers to them."""
    return sum(
        len(each._buffer) + each.transport.get_write_buffer_size()  # type: ignore[attr-defined] # nothing else tells
        for each in doorway.connections
    )


@pytest.mark.parametrize("path", ["/fresh", "/miss"])
def test_a_flood_of_requests_by_a_client_that_does_not_read_holds_no_more_than_1_mib(path: str) -> None:
    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        reader = await doorway.client()
        assert (await reader.ask(get(origin, path))).status == 200
        client = await doorway.client(receive_buffer=4096, limit=1024)
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        flood = get(origin, path, "X: " + "a" * 200) * 100
        while client.writer.transport.get_write_buffer_size() < 2**20:  # until the client has to wait
            client.send(flood)
            for _ in range(3):
                await asyncio.sleep(0)
            assert held(doorway) <= 2**20

    converse(conversation, by_path)


def test_a_flood_behind_an_answer_that_does_not_come_makes_the_client_wait() -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def conversation(doorway: Doorway, origin: RawOrigin) -> None:
        client = await doorway.client()
        client.send(get(origin, "/a"))
        await until(lambda: bool(origin.requests))
        while client.writer.transport.get_write_buffer_size() < 2**20:
            client.send(get(origin, "/b") * 1000)
            await asyncio.sleep(0)
            assert held(doorway) <= 2**20
        assert len(origin.requests) == 1

    converse(conversation, silent)
