"""The content of requests: parsed strictly, and read from the client no faster than the origin takes it."""

from __future__ import annotations

import asyncio
from sys import getsizeof
from typing import cast

import pytest

from addon.frontend.http1.request_body import MAX_FRAMING, MAX_WAITING, RequestBody
from addon.frontend.http1.request_head import MalformedRequest
from addon.origin import BrokenRequestBody


class FakeTransport:
    """The transport that the content comes from: it notes whether reading is paused."""

    def __init__(self) -> None:
        self.paused = False

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


def new_body(length: int | None = None) -> tuple[RequestBody, FakeTransport]:
    transport = FakeTransport()
    return RequestBody(length, cast(asyncio.Transport, transport)), transport


def feed(body: RequestBody, data: bytes, size: int) -> None:
    """Feed data in pieces of `size` bytes."""
    for start in range(0, len(data), size):
        body.feed(data[start : start + size])


def read(body: RequestBody) -> bytes:
    async def read_all() -> bytes:
        return b"".join([chunk async for chunk in body])

    return asyncio.run(read_all())


def test_bytes_behind_content_with_a_length_are_returned() -> None:
    body, _ = new_body(5)
    assert body.feed(b"he") == b""
    assert not body.complete
    assert body.feed(b"lloGET") == b"GET"
    assert body.complete
    assert read(body) == b"hello"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_chunks_may_arrive_in_pieces_of_any_size(size: int) -> None:
    data = b'5\r\nhello\r\n00A;x=1;y="z"\r\n, my world\r\n1\r\n!\r\n0\r\nX-Trailer: a\r\n\r\n'
    body, _ = new_body()
    for start in range(0, len(data), size):
        assert not body.complete
        body.feed(data[start : start + size])
    assert body.complete
    assert not body.surplus
    assert read(body) == b"hello, my world!"


@pytest.mark.parametrize(
    "data",
    [
        b"x\r\n",
        b"-5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
        b"5 \r\nhello\r\n",
        b" 5\r\nhello\r\n",
        b"5\nhello\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello!\r\n",
        b"5\r\nhelloXX",
        b"5\rhello\r\n",
        b"5;x\nhello\r\n",
        b"5;x\ry\r\nhello\r\n",
        b"5;x\x00\r\nhello\r\n",
        b"10000000000000005\r\nhello\r\n",
        b"\r\n5\r\nhello\r\n",
        b"5\r\nhello\r\n\r\n0\r\n\r\n",
        b"0\r\nX: a\nY: b\r\n\r\n",
        b"0\r\nX : a\r\n\r\n",
        b"0\r\n X: a\r\n\r\n",
        b"0\r\nX: a\x00\r\n\r\n",
        b"0\r\nX: a\r\n b\r\n\r\n",
        b"0\r\nX\r\n\r\n",
        b"0\n\n",
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_malformed_chunks_are_refused(data: bytes, at_once: bool) -> None:
    body, _ = new_body()
    with pytest.raises(MalformedRequest):
        feed(body, data, len(data) if at_once else 1)
    assert not body.complete


@pytest.mark.parametrize("endless", [b"5;" + b"x" * MAX_FRAMING, b"0\r\n" + b"X: a\r\n" * (MAX_FRAMING // 4)])
def test_extensions_and_trailers_without_content_are_limited(endless: bytes) -> None:
    body, _ = new_body()
    with pytest.raises(MalformedRequest):
        feed(body, endless, 1000)


@pytest.mark.parametrize("surplus", [b"GET / HTTP/1.1\r\n", b"G", b"x", b"\x00", b"\xff\xfe", b"0\r\n\r\n", b":\r\n"])
def test_bytes_behind_the_last_chunk_are_not_a_request(surplus: bytes) -> None:
    body, _ = new_body()
    assert body.feed(b"0\r\n\r\n" + surplus) == b""
    assert body.complete
    assert body.surplus
    assert read(body) == b""


def test_bytes_that_arrive_after_the_last_chunk_are_the_next_request() -> None:
    body, _ = new_body()
    assert body.feed(b"0\r\n\r\n") == b""
    assert body.feed(b"GET / HTTP/1.1\r\n") == b"GET / HTTP/1.1\r\n"
    assert not body.surplus
    assert read(body) == b""


def test_reading_is_paused_while_the_reader_is_slower() -> None:
    body, transport = new_body(10 * MAX_WAITING)

    async def conversation() -> None:
        while not transport.paused:
            body.feed(b"a" * 10_000)
        assert body.received <= MAX_WAITING + 10_000
        assert body.keeps_up(10 * MAX_WAITING)  # a client whose reading is paused is not slow
        while transport.paused:
            await anext(body)
        assert body.received - MAX_WAITING // 2 <= MAX_WAITING

    asyncio.run(conversation())


@pytest.mark.parametrize(
    ("length", "data"), [(2**30, b"ab"), (None, b"2\r\nab\r\n" * 30_000)], ids=["length", "chunks"]
)
def test_many_small_pieces_are_held_in_limited_memory(length: int | None, data: bytes) -> None:
    """Regression: only the content was counted, so pieces of two bytes took five megabytes."""
    body, transport = new_body(length)
    while not transport.paused:
        body.feed(data)
    assert sum(map(getsizeof, body._chunks)) <= 2**20


def test_content_that_ends_short_is_an_error() -> None:
    body, _ = new_body(5)
    body.feed(b"hell")
    body.fail("the client disconnected")
    with pytest.raises(BrokenRequestBody):
        read(body)
