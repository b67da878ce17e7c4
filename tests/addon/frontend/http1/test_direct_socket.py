"""Large content in memory, sent by the kernel from a file without copying it."""

from __future__ import annotations

import gc
import os

import pytest

from addon.frontend.connections import STALL_TIMEOUT
from addon.frontend.http1 import content_files
from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    authority_of,
    client_tls,
    get,
    get_in_tunnel,
    origin_tls,
    run_conversation,
    until,
)
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin

BODY = b"".join(b"%015d\n" % number for number in range(40_000))
CACHEABLE = HEAD + b'Cache-Control: max-age=600\r\nETag: "1"\r\nContent-Length: %d\r\n\r\n' % len(BODY)


async def cacheable(peer: Peer) -> None:
    """Answer every request with BODY."""
    while True:
        await peer.request()
        await peer.send(CACHEABLE + BODY)


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


def test_hits_are_sent_from_a_file_in_order(sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(4):
            response = await client.fetch(get(origin, "/a"))
            assert response.body == BODY
        assert response.status == 203
        assert sent_from_files
        client.send(get(origin, "/a") * 3)  # all at once: the transport has something to send when the second is due
        for _ in range(3):
            response = await client.response()
            assert (response.status, response.body == BODY) == (203, True)

    run_conversation(conversation, cacheable)


def test_the_response_to_a_client_that_reads_slowly_is_complete(sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(3):
            await client.fetch(get(origin, "/a"))
        slow = await front_end.client(receive_buffer=65_536)
        slow.stop_reading()
        slow.send(get(origin, "/a") * 20)
        await until(lambda: any(each.transport.get_write_buffer_size() for each in front_end.connections))
        slow.resume_reading()
        for _ in range(20):
            response = await slow.response()
            assert (response.status, response.body == BODY) == (203, True)

    run_conversation(conversation, cacheable)


def test_a_client_that_does_not_read_is_cut_off(sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(3):
            await client.fetch(get(origin, "/a"))
        slow = await front_end.client_that_does_not_read()
        slow.send(get(origin, "/a") * 20)
        await until(lambda: any(each.transport.get_write_buffer_size() for each in front_end.connections))
        front_end.advance_deadlines(STALL_TIMEOUT + 1)
        await until(lambda: len(front_end.connections) == 1)

    run_conversation(conversation, cacheable)


def test_without_a_file_content_is_sent_from_memory(
    sent_from_files: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")  # as on other systems than Linux

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for _ in range(4):
            assert (await client.fetch(get(origin, "/a"))).body == BODY

    run_conversation(conversation, cacheable)
    assert not sent_from_files


def test_over_tls_content_is_sent_from_memory(sent_from_files: list[int]) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls())
        for _ in range(4):
            assert (await client.fetch(get_in_tunnel(origin, "/a"))).body == BODY

    run_conversation(conversation, cacheable, secure=origin_tls())
    assert not sent_from_files


def test_files_are_limited_and_closed_with_their_last_use() -> None:
    files = content_files.ContentFiles(max_files=1)
    file = files.make(b"content")
    assert file is not None
    assert os.pread(file.descriptor, 10, 0) == b"content"
    assert files.make(b"other") is None
    descriptor = file.descriptor
    del file
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert files.make(b"other") is not None
