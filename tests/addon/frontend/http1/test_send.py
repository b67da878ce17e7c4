"""Content on its way to clients: from memory, from files of the store, as it comes; to those who read slowly."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from addon.frontend.connections import STALL_TIMEOUT
from addon.frontend.http1.connection import Http1Connection
from tests.addon.frontend.front_end import (
    Client,
    FrontEndUnderTest,
    client_tls,
    get,
    origin_tls,
    request_head,
    run_conversation,
    until,
)
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin

SIZE = 3_000_000
BODY = b"".join(b"%015d\n" % number for number in range(SIZE // 16))
CACHED = HEAD + b'Cache-Control: max-age=600\r\nETag: "1"\r\nContent-Length: %d\r\n\r\n'


async def large(peer: Peer) -> None:
    while True:
        await peer.request()
        await peer.send(CACHED % len(BODY) + BODY)


def on_disk(path: Path) -> dict[str, Any]:
    """Settings by which nothing above 1000 octets stays in memory."""
    return {
        "store": {"kind": "disk", "path": str(path / "store"), "max_size": 2**28},
        "memory": {"max_object": 1000, "max_size": 10_000_000},
    }


@pytest.fixture
def sent_from_files(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the system was asked to send from files, in octets."""
    asked: list[int] = []
    sendfile = os.sendfile

    def noted(out: int, source: int, offset: int, count: int) -> int:
        sent = sendfile(out, source, offset, count)
        asked.append(sent)
        return sent

    monkeypatch.setattr(os, "sendfile", noted)
    return asked


async def stored(front_end: FrontEndUnderTest, origin: RawOrigin) -> Client:
    """Return a client that has fetched what is large; it is in the store now."""
    client = await front_end.client()
    assert (await client.fetch(get(origin, "/a"))).body == BODY
    await until(lambda: bool(front_end.entries()))
    return client


def test_a_large_copy_leaves_from_its_file(tmp_path: Path, sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await stored(front_end, origin)
        for _ in range(3):
            response = await client.fetch(get(origin, "/a"))
            assert (response.status, response.body == BODY) == (203, True)
        assert sum(sent_from_files) == 3 * len(BODY)
        assert len(origin.requests) == 1

    run_conversation(conversation, large, **on_disk(tmp_path))


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("0-199999", 0, 200_000), ("1000001-", 1_000_001, len(BODY)), ("-70000", len(BODY) - 70_000, len(BODY))],
)
def test_a_range_of_it_too(tmp_path: Path, sent_from_files: list[int], asked: str, start: int, stop: int) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await stored(front_end, origin)
        response = await client.fetch(get(origin, "/a", f"Range: bytes={asked}"))
        assert (response.status, response.body == BODY[start:stop]) == (206, True)
        assert sum(sent_from_files) == stop - start
        several = await client.fetch(get(origin, "/a", "Range: bytes=0-99999,200000-299999"))
        assert several.status == 206
        assert BODY[200_000:300_000] in several.body

    run_conversation(conversation, large, **on_disk(tmp_path))


def test_requests_behind_it_are_answered_in_order(tmp_path: Path, sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await stored(front_end, origin)
        client.send(get(origin, "/a") + get(origin, "/a", "Range: bytes=0-3") + get(origin, "/a", "Connection: close"))
        assert [len((await client.response()).body) for _ in range(3)] == [len(BODY), 4, len(BODY)]
        assert await client.rest() == b""
        assert sent_from_files

    run_conversation(conversation, large, **on_disk(tmp_path))


def test_a_client_that_leaves_in_the_middle_of_a_file_lets_go_of_it(tmp_path: Path, sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await stored(front_end, origin)
        file = body_file(tmp_path)
        for _ in range(3):
            client = await front_end.client(receive_buffer=65_536)
            client.send(get(origin, "/a") * 20)
            await client.read(200_000)
            client.disconnect()
        await until(lambda: len(front_end.connections) == 1)
        await until(lambda: file not in open_files())

    run_conversation(conversation, large, **on_disk(tmp_path))


def body_file(path: Path) -> Path:
    """Return the file of the only body."""
    files = (each for each in (path / "store").rglob("*") if each.is_file())
    (file,) = (each for each in files if each.stat().st_size == len(BODY))
    return file


def open_files() -> list[Path]:
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it was open to list the others
            found.append(entry.readlink())
    return found


def test_a_client_that_stops_reading_a_file_is_cut(tmp_path: Path, sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await stored(front_end, origin)
        client = await front_end.client(receive_buffer=4096, limit=1024)
        client.reader._transport.pause_reading()  # type: ignore[attr-defined]
        client.send(get(origin, "/a") * 20)
        await until(lambda: any(each._writable and not each._writable.done() for each in front_end.connections))  # type: ignore[attr-defined]
        front_end.advance_deadlines(STALL_TIMEOUT + 1)
        await until(lambda: len(front_end.connections) == 1)

    run_conversation(conversation, large, **on_disk(tmp_path))


def test_a_file_that_has_become_shorter_ends_in_a_cut_and_the_copy_is_gone(
    tmp_path: Path, sent_from_files: list[int]
) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await stored(front_end, origin)
        assert (await client.fetch(get(origin, "/a"))).status == 203  # its digest is checked once
        os.truncate(body_file(tmp_path), 1_000_000)
        response = await client.fetch(get(origin, "/a"))
        assert response.cut or response.body == BODY  # never less with a clean end
        client = await front_end.client()
        assert (await client.fetch(get(origin, "/a"))).body == BODY

    run_conversation(conversation, large, **on_disk(tmp_path))


def test_over_tls_it_leaves_in_parts_no_faster_than_it_is_read(tmp_path: Path, sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        asked = request_head("GET /a HTTP/1.1", f"Host: {authority}")
        client = await front_end.tunnel(authority, client_tls())
        assert (await client.fetch(asked)).body == BODY
        for _ in range(2):
            client.send(asked)
            await asyncio.sleep(0.01)
            (connection,) = front_end.connections
            assert connection.transport.get_write_buffer_size() <= 2**19  # type: ignore[attr-defined]
            response = await client.response()
            assert (response.status, response.body == BODY) == (203, True)
        assert not sent_from_files

    run_conversation(conversation, large, secure=origin_tls(), **on_disk(tmp_path))


def test_a_client_that_has_not_read_what_came_before_a_file_is_waited_for_and_not_asked_again_and_again(
    tmp_path: Path, sent_from_files: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop went round without end until the client had read."""
    turns = 0
    writable = Http1Connection.writable

    async def counted(self: Http1Connection) -> None:
        nonlocal turns
        turns += 1
        await writable(self)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await stored(front_end, origin)
        before = set(front_end.connections)
        slow = await front_end.client(receive_buffer=4096, limit=1024)
        slow.reader._transport.pause_reading()  # type: ignore[attr-defined]
        monkeypatch.setattr(Http1Connection, "writable", counted)
        await until(lambda: len(front_end.connections) == 2)
        (connection,) = set(front_end.connections) - before
        while not connection.transport.get_write_buffer_size():  # type: ignore[attr-defined]
            connection.transport.write(b"a" * 30_000)  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        flushing = asyncio.ensure_future(connection.flushed())  # type: ignore[attr-defined]
        for _ in range(3):
            await client.fetch(get(origin, "/a", "Range: bytes=0-0"))
        assert not flushing.done()
        assert turns < 5
        slow.reader._transport.resume_reading()  # type: ignore[attr-defined]
        while not flushing.done():
            await slow.reader.read(2**16)
        await flushing

    run_conversation(conversation, large, **on_disk(tmp_path))
