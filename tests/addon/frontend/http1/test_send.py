"""Sending content to clients: from memory, from files of the store, and to clients that read slowly."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from addon.frontend.connections import STALL_TIMEOUT
from addon.frontend.http1.connection import Http1Connection
from addon.frontend.http1.send import flushed
from tests.addon.frontend.front_end import (
    Client,
    FrontEndUnderTest,
    authority_of,
    client_tls,
    get,
    get_in_tunnel,
    origin_tls,
    run_conversation,
    unread,
)
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin
from tests.fixtures.until import until

SIZE = 3_000_000
BODY = b"".join(b"%015d\n" % number for number in range(SIZE // 16))
CACHEABLE = HEAD + b'Cache-Control: max-age=600\r\nETag: "1"\r\nContent-Length: %d\r\n\r\n' % len(BODY)


async def cacheable(peer: Peer) -> None:
    """Answer every request with BODY."""
    while True:
        await peer.request()
        await peer.send(CACHEABLE + BODY)


def on_disk(path: Path) -> dict[str, Any]:
    """Return settings by which no body above 1000 bytes is kept in memory."""
    return {
        "store": {"kind": "disk", "path": str(path / "store"), "max_size": 2**28},
        "memory": {"max_object": 1000, "max_size": 10_000_000},
    }


@pytest.fixture
def sent_from_files(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of bytes that each call of os.sendfile sends."""
    sizes: list[int] = []
    sendfile = os.sendfile

    def counted(out: int, source: int, offset: int, count: int) -> int:
        size = sendfile(out, source, offset, count)
        sizes.append(size)
        return size

    monkeypatch.setattr(os, "sendfile", counted)
    return sizes


async def client_of_stored_body(front_end: FrontEndUnderTest, origin: RawOrigin) -> Client:
    """Return a client that has fetched BODY; it is in the store now."""
    client = await front_end.client()
    assert (await client.fetch(get(origin, "/a"))).body == BODY
    await until(lambda: bool(front_end.entries()))
    return client


def body_file(path: Path) -> Path:
    """Return the file of BODY, the only one in the store."""
    files = (each for each in (path / "store").rglob("*") if each.is_file())
    (file,) = (each for each in files if each.stat().st_size == len(BODY))
    return file


def open_files() -> list[Path]:
    """Return the files that this process has open."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the descriptor that lists this folder is closed by now
            found.append(entry.readlink())
    return found


# ---- content in files


def test_a_large_stored_body_is_sent_from_its_file(tmp_path: Path, sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_of_stored_body(front_end, origin)
        for _ in range(3):
            response = await client.fetch(get(origin, "/a"))
            assert (response.status, response.body == BODY) == (203, True)
        assert sum(sent_from_files) == 3 * len(BODY)
        assert len(origin.requests) == 1

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


@pytest.mark.parametrize(
    ("spec", "start", "stop"),
    [("0-199999", 0, 200_000), ("1000001-", 1_000_001, len(BODY)), ("-70000", len(BODY) - 70_000, len(BODY))],
)
def test_a_range_is_sent_from_the_file(
    tmp_path: Path, sent_from_files: list[int], spec: str, start: int, stop: int
) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_of_stored_body(front_end, origin)
        response = await client.fetch(get(origin, "/a", f"Range: bytes={spec}"))
        assert (response.status, response.body == BODY[start:stop]) == (206, True)
        assert sum(sent_from_files) == stop - start
        multipart = await client.fetch(get(origin, "/a", "Range: bytes=0-99999,200000-299999"))
        assert multipart.status == 206
        assert BODY[200_000:300_000] in multipart.body

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_requests_behind_one_that_is_sent_from_a_file_are_answered_in_order(
    tmp_path: Path, sent_from_files: list[int]
) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_of_stored_body(front_end, origin)
        client.send(get(origin, "/a") + get(origin, "/a", "Range: bytes=0-3") + get(origin, "/a", "Connection: close"))
        assert [len((await client.response()).body) for _ in range(3)] == [len(BODY), 4, len(BODY)]
        assert await client.rest() == b""
        assert sent_from_files

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_the_file_is_closed_when_the_client_disconnects(tmp_path: Path, sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await client_of_stored_body(front_end, origin)
        file = body_file(tmp_path)
        for _ in range(3):
            client = await front_end.client(receive_buffer=65_536)
            client.send(get(origin, "/a") * 20)
            await client.read(200_000)
            client.disconnect()
        await until(lambda: len(front_end.connections) == 1)
        await until(lambda: file not in open_files())

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_a_client_that_stops_reading_a_file_is_cut_off(tmp_path: Path, sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        await client_of_stored_body(front_end, origin)
        client = await front_end.client_that_does_not_read()
        client.send(get(origin, "/a") * 20)
        await until(lambda: any(each._writable and not each._writable.done() for each in front_end.connections))
        front_end.advance_deadlines(STALL_TIMEOUT + 1)
        await until(lambda: len(front_end.connections) == 1)

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_a_truncated_file_cuts_off_the_response_and_is_deleted(tmp_path: Path, sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_of_stored_body(front_end, origin)
        assert (await client.fetch(get(origin, "/a"))).status == 203  # the digest is checked with the first hit only
        os.truncate(body_file(tmp_path), 1_000_000)
        response = await client.fetch(get(origin, "/a"))
        assert response.cut or response.body == BODY  # a part never looks complete
        client = await front_end.client()
        assert (await client.fetch(get(origin, "/a"))).body == BODY

    run_conversation(conversation, cacheable, **on_disk(tmp_path))


def test_over_tls_a_file_is_sent_no_faster_than_it_is_read(tmp_path: Path, sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        request = get_in_tunnel(origin, "/a")
        client = await front_end.tunnel(authority_of(origin), client_tls())
        assert (await client.fetch(request)).body == BODY
        for _ in range(2):
            client.send(request)
            await asyncio.sleep(0.01)
            (connection,) = front_end.connections
            assert unread(connection) <= 2**19
            response = await client.response()
            assert (response.status, response.body == BODY) == (203, True)
        assert not sent_from_files

    run_conversation(conversation, cacheable, secure=origin_tls(), **on_disk(tmp_path))


def test_flushed_waits_for_a_client_that_does_not_read_without_busy_waiting(
    tmp_path: Path, sent_from_files: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the event loop ran without a pause until the client had read."""
    calls = 0
    writable = Http1Connection.writable

    async def counted(self: Http1Connection) -> None:
        nonlocal calls
        calls += 1
        await writable(self)

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await client_of_stored_body(front_end, origin)
        before = set(front_end.connections)
        slow = await front_end.client_that_does_not_read()
        monkeypatch.setattr(Http1Connection, "writable", counted)
        await until(lambda: len(front_end.connections) == 2)
        (connection,) = set(front_end.connections) - before
        assert isinstance(connection, Http1Connection)
        while not unread(connection):
            connection.transport.write(b"a" * 30_000)
            await asyncio.sleep(0)
        flushing = asyncio.ensure_future(flushed(connection))
        for _ in range(3):
            await client.fetch(get(origin, "/a", "Range: bytes=0-0"))
        assert not flushing.done()
        assert calls < 5
        slow.resume_reading()
        while not flushing.done():
            await slow.reader.read(2**16)
        await flushing

    run_conversation(conversation, cacheable, **on_disk(tmp_path))
