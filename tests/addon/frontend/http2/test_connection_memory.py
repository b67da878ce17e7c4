"""The memory that one client of HTTP/2 can make the proxy hold, by what it sends and by what it does not read."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from addon.frontend.connections import LINGER
from addon.frontend.http2.connection import MAX_INPUT, Http2Connection
from addon.frontend.http2.stream import STORED_CHUNK
from addon.origin.http2 import frames, settings
from tests.addon.frontend.front_end import FrontEndUnderTest, authority_of, get, run_conversation, silent
from tests.addon.frontend.http2.http2_client import LARGE_WINDOW, Http2Client, http2_client, pass_time
from tests.addon.frontend.http2.test_connection_deadlines import is_blocked, only
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin
from tests.fixtures.until import until

LARGEST_READ = 262_144
"""Bytes that the event loop reads from a socket at a time, at most."""

BODY = b"".join(bytes([number]) * STORED_CHUNK for number in range(100))


async def cacheable(peer: Peer) -> None:
    """Answer every request with BODY, which is stored."""
    while True:
        await peer.request()
        await peer.send(HEAD + b"Cache-Control: max-age=600\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)


async def store(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
    """Have BODY stored."""
    assert (await (await front_end.client()).fetch(get(origin, "/a"))).body == BODY
    await until(lambda: bool(front_end.entries()))


# ---- what a client sends


def test_input_that_waits_for_its_turn_is_limited() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        connection, most = only(front_end), 0
        client.client.send(frames.window_frame(0, 1) * 100_000)
        client.send_frame(frames.PING, 0, 0, bytes(8))
        answered = asyncio.ensure_future(client.read_frame())
        while not answered.done():
            most = max(most, connection._reader.waiting)
            await asyncio.sleep(0)
        assert 0 < most <= MAX_INPUT + LARGEST_READ

    run_conversation(conversation, silent, http2={"control_frames": 200_000})


@pytest.mark.parametrize("ends", ["by the client", "by a fault"])
def test_nothing_is_kept_of_what_a_client_has_sent_once_its_connection_has_ended(ends: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        connection = only(front_end)
        if ends == "by a fault":
            client.send_frame(frames.DATA, 0, 0, b"x")
        client.client.send(frames.frame(frames.HEADERS, 0, 1, bytes(10_000))[:-1])
        if ends == "by the client":
            await until(lambda: connection._reader.waiting > 0)
            client.client.disconnect()
        else:
            await client.until_closed()
            assert connection._reader.waiting == 0
            pass_time(front_end, LINGER + 1)
        await until(lambda: not front_end.connections)
        assert connection._reader.waiting == 0

    run_conversation(conversation, silent)


# ---- what a client does not read


def test_content_of_the_store_is_not_loaded_for_a_client_that_does_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of a hundred responses once held a chunk of 64 KiB."""
    loaded: list[int] = []

    def counted(descriptor: int, start: int, stop: int) -> bytes:
        loaded.append(stop - start)
        return os.pread(descriptor, stop - start, start)

    monkeypatch.setattr("addon.pipeline.reply_builder.read_cached", counted)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await store(front_end, origin)
        client = Http2Client(await front_end.client_that_does_not_read(), authority_of(origin), "http")
        client.greet({settings.INITIAL_WINDOW_SIZE: LARGE_WINDOW})
        client.widen(0, LARGE_WINDOW)
        for _ in range(100):
            client.ask("/a")
        await until(lambda: any(map(is_blocked, front_end.connections)))
        (connection,) = (each for each in front_end.connections if is_blocked(each))
        assert isinstance(connection, Http2Connection)
        assert sum(loaded) <= connection.outbound.content_sent + 2 * STORED_CHUNK
        assert len(origin.requests) == 1

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_a_stream_without_a_window_keeps_no_other_from_its_content(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await store(front_end, origin)
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: 100})
        client.widen(0, LARGE_WINDOW)
        for _ in range(5):
            client.ask("/a")
        read = client.ask("/a")
        client.widen(read, LARGE_WINDOW)
        assert (await client.response(read)).content == BODY

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


@pytest.mark.parametrize("cached", [True, False], ids=["in the page cache", "on the disk"])
def test_responses_from_files_arrive_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, cached: bool) -> None:
    if not cached:
        monkeypatch.setattr("addon.pipeline.reply_builder.read_cached", lambda *_: None)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await store(front_end, origin)
        client = await http2_client(front_end, origin, {settings.INITIAL_WINDOW_SIZE: LARGE_WINDOW})
        client.widen(0, LARGE_WINDOW)
        streams = [client.ask("/a") for _ in range(6)]
        for stream in streams:
            received = await client.response(stream)
            assert (received.status, received.content == BODY) == (203, True)
        assert len(origin.requests) == 1

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def on_disk(path: Path) -> dict[str, dict[str, object]]:
    """Return settings by which no body above 1000 bytes is kept in memory."""
    return {
        "store": {"kind": "disk", "path": str(path / "store"), "max_size": 2**28},
        "memory": {"max_object": 1000, "max_size": 10_000_000},
    }
