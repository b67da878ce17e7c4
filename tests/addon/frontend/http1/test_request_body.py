"""The content of requests (yardstick A3, A9): framed strictly, read no faster than it is passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from sys import getsizeof
from typing import cast

import pytest

from addon.frontend.http1.request_body import MAX_FRAMING, MAX_WAITING, BrokenRequestBody, RequestBody
from addon.frontend.http1.request_head import MalformedRequest

HEAD = b"POST /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"


class Tap:
    """Where the content comes from: it can be told to wait."""

    def __init__(self) -> None:
        self.open = True

    def pause_reading(self) -> None:
        self.open = False

    def resume_reading(self) -> None:
        self.open = True


def new(length: int | None = None) -> tuple[RequestBody, Tap]:
    tap = Tap()
    return RequestBody(length, cast(asyncio.Transport, tap)), tap


def feed(upload: RequestBody, octets: bytes, size: int) -> None:
    for start in range(0, len(octets), size):
        upload.feed(octets[start : start + size])


def read(upload: RequestBody) -> bytes:
    async def all_of_it() -> bytes:
        return b"".join([octets async for octets in upload])

    return asyncio.run(all_of_it())


def test_what_follows_a_length_of_content_is_given_back() -> None:
    upload, _ = new(5)
    assert upload.feed(b"he") == b""
    assert not upload.complete
    assert upload.feed(b"lloGET") == b"GET"
    assert upload.complete
    assert read(upload) == b"hello"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_chunks_are_taken_apart_wherever_they_are_cut(size: int) -> None:
    octets = b'5\r\nhello\r\n00A;x=1;y="z"\r\n, my world\r\n1\r\n!\r\n0\r\nX-Trailer: a\r\n\r\n'
    upload, _ = new()
    for start in range(0, len(octets), size):
        assert not upload.complete
        upload.feed(octets[start : start + size])
    assert upload.complete
    assert not upload.surplus
    assert read(upload) == b"hello, my world!"


@pytest.mark.parametrize(
    "octets",
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
def test_chunks_of_another_form_are_refused(octets: bytes, at_once: bool) -> None:
    upload, _ = new()
    with pytest.raises(MalformedRequest):
        feed(upload, octets, len(octets) if at_once else 1)
    assert not upload.complete


@pytest.mark.parametrize("endless", [b"5;" + b"x" * MAX_FRAMING, b"0\r\n" + b"X: a\r\n" * (MAX_FRAMING // 4)])
def test_chunks_with_more_around_them_than_in_them_are_refused(endless: bytes) -> None:
    upload, _ = new()
    with pytest.raises(MalformedRequest):
        feed(upload, endless, 1000)


@pytest.mark.parametrize("surplus", [b"GET / HTTP/1.1\r\n", b"G", b"x", b"\x00", b"\xff\xfe", b"0\r\n\r\n", b":\r\n"])
@pytest.mark.parametrize("apart", [True, False])
def test_octets_behind_the_last_chunk_are_never_taken_for_a_request(surplus: bytes, apart: bool) -> None:
    upload, _ = new()
    for piece in (b"0\r\n\r\n", surplus) if apart else (b"0\r\n\r\n" + surplus,):
        assert upload.feed(piece) == b""
    assert upload.complete
    assert upload.surplus
    assert read(upload) == b""


def test_a_client_that_is_ahead_waits() -> None:
    upload, tap = new(10 * MAX_WAITING)

    async def conversation() -> None:
        while tap.open:
            upload.feed(b"a" * 10_000)
        assert upload.received <= MAX_WAITING + 10_000
        assert upload.keeps_up(10 * MAX_WAITING)  # it must wait: that is no slowness of its own
        while not tap.open:
            await anext(upload)
        assert upload.received - MAX_WAITING // 2 <= MAX_WAITING

    asyncio.run(conversation())


def two_by_two(upload: RequestBody, tap: Tap) -> None:
    while tap.open:
        upload.feed(b"ab")


def in_tiny_chunks(upload: RequestBody, tap: Tap) -> None:
    while tap.open:
        upload.feed(b"2\r\nab\r\n" * 30_000)


@pytest.mark.parametrize(("length", "send"), [(2**30, two_by_two), (None, in_tiny_chunks)])
def test_many_small_pieces_take_no_more_memory_than_a_large_one(
    length: int | None, send: Callable[[RequestBody, Tap], None]
) -> None:
    """Only octets of content were counted: two of them at a time took five megabytes."""
    upload, tap = new(length)
    send(upload, tap)
    assert sum(map(getsizeof, upload._chunks)) <= 2**20


def test_content_that_ends_short_is_no_content() -> None:
    upload, _ = new(5)
    upload.feed(b"hell")
    upload.fail("the client left")
    with pytest.raises(BrokenRequestBody):
        read(upload)
