"""Large hot responses are sent from files in memory, with the same bytes in the same order as without."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from addon.frontend.http1 import memory_files
from addon.frontend.http1.memory_files import MemoryFiles
from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    authority_of,
    client_tls,
    get,
    get_in_tunnel,
    origin_tls,
    run_conversation,
)
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin
from tests.fixtures.until import until

BODY = b"".join([number.to_bytes(4) for number in range(50_000)])
"""Of 200 KB, in which no two places look alike."""


async def fresh(peer: Peer) -> None:
    """Answer every request with BODY, and the path in a field."""
    while True:
        path = (await peer.request()).split(b" ")[1].rpartition(b"/")[2]
        head = HEAD + b"Cache-Control: max-age=60\r\nX-Path: %b\r\nContent-Length: %d\r\n\r\n" % (path, len(BODY))
        await peer.send(head + BODY)


def test_a_response_gets_a_file_when_it_is_sent_twice_in_a_second_and_loses_it_without_use() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, files, counts = await front_end.client(), front_end.fast_path.memory_files, []

        async def ask(path: str = "/a") -> None:
            response = await client.fetch(get(origin, path))
            assert (response.fields.get("x-path"), response.body == BODY) == (path[1:], True)
            counts.append(len(files))

        for _ in range(4):  # the first is a miss
            await ask()
        assert counts == [0, 0, 1, 1]
        files.drop_unused()
        await ask()
        files.drop_unused()
        assert len(files) == 1
        files.drop_unused()
        assert len(files) == 0
        await ask()
        assert len(origin.requests) == 1
        counters = front_end.service.counters.snapshot()
        assert (counters["hits"], counters["octets.from_copy"]) == (5, 5 * len(BODY))

    run_conversation(conversation, fresh)


def test_a_file_is_made_anew_when_the_age_of_its_response_changes() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, fast_path, ages = await front_end.client(), front_end.fast_path, []
        await client.fetch(get(origin, "/a"))
        now = fast_path.clock()
        for seconds in (0, 0, 1, 1, 5):
            fast_path.clock = lambda later=seconds: now + later
            response = await client.fetch(get(origin, "/a"))
            assert response.body == BODY
            ages.append(response.fields.get("age"))
        assert (ages, descriptors_in_memory()) == (["0", "0", "1", "1", "5"], 1)

    run_conversation(conversation, fresh)


def test_files_end_when_they_are_dropped() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, files = await front_end.client(), front_end.fast_path.memory_files
        for _ in range(3):
            await client.fetch(get(origin, "/a"))
        assert descriptors_in_memory() == 1
        files.drop_unused()
        files.drop_unused()
        assert descriptors_in_memory() == 0

    run_conversation(conversation, fresh)


def descriptors_in_memory() -> int:
    """Return how many files in memory this process has open."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found += "secondhand-response" in str(descriptor.readlink())
        except FileNotFoundError:  # that of the listing itself
            continue
    return found


def test_pipelined_requests_are_answered_in_order() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for path in ("/a", "/b") * 3:
            await client.fetch(get(origin, path))
        assert len(front_end.fast_path.memory_files) == 2
        client.send((get(origin, "/a") + get(origin, "/b")) * 5)
        responses = [await client.response() for _ in range(10)]
        assert [response.fields.get("x-path") for response in responses] == ["a", "b"] * 5
        assert all(response.body == BODY for response in responses)

    run_conversation(conversation, fresh)


def test_a_client_that_reads_slowly_gets_all_of_it() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        quick = await front_end.client()
        for _ in range(3):
            await quick.fetch(get(origin, "/a"))
        slow = await front_end.client(receive_buffer=4096, read_limit=4096)
        await until(lambda: len(front_end.connections) == 2)
        for connection in front_end.connections:
            connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        slow.send(get(origin, "/a") * 3)
        for _ in range(3):
            assert (await slow.response()).body == BODY

    run_conversation(conversation, fresh)


def test_over_tls_there_is_no_file() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls())
        for _ in range(4):
            assert (await client.fetch(get_in_tunnel(origin, "/a"))).body == BODY
        assert (len(origin.requests), len(front_end.fast_path.memory_files)) == (1, 0)

    run_conversation(conversation, fresh, secure=origin_tls())


@pytest.mark.parametrize("limit", ["size", "number", "descriptors"])
def test_where_there_is_no_room_for_a_file_the_response_is_sent_without(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_descriptor(*_: object) -> int:
        raise OSError("too many open files")

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, files = await front_end.client(), MemoryFiles(len(BODY) + (0 if limit == "size" else 4096))
        front_end.fast_path.memory_files = files
        if limit == "number":
            monkeypatch.setattr(memory_files, "MAX_FILES", 0)
        if limit == "descriptors":
            monkeypatch.setattr(os, "memfd_create", no_descriptor)
        for _ in range(4):
            assert (await client.fetch(get(origin, "/a"))).body == BODY
        assert (len(origin.requests), len(files)) == (1, 0)

    run_conversation(conversation, fresh)


def test_a_client_that_has_gone_does_no_harm() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(3):
            await client.fetch(get(origin, "/a"))
        gone = await front_end.client_that_does_not_read()
        gone.send(get(origin, "/a") * 50)
        await until(lambda: front_end.service.counters.snapshot()["hits"] > 2)
        gone.disconnect()
        await until(lambda: len(front_end.connections) == 1)
        assert (await client.fetch(get(origin, "/a"))).body == BODY

    run_conversation(conversation, fresh)
