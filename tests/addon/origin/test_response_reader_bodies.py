"""The end of a response body, byte for byte, and the reuse of its connection."""

from __future__ import annotations

import asyncio

import pytest

from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from addon.origin.response_reader import ResponseReader
from tests.fixtures.origin_client import (
    get,
    head_refusal,
    receive,
    refusal,
    run_conversation,
    whole,
)
from tests.fixtures.raw_origin import CHUNKED, HEAD, LONG_FIELD_LINE, OK, Peer, RawOrigin, answering

pytestmark = pytest.mark.usefixtures("each_loop")


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (HEAD + b"Content-Length: 3\r\n\r\nabc", b"abc"),
        (HEAD + b"Content-Length: 0\r\n\r\n", b""),
        (CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (CHUNKED + b"3;x=y\r\nabc\r\n0\r\n\r\n", b"abc"),
        (CHUNKED + b"3\r\nabc\r\n0\r\nDigest: x\r\nContent-Type: y\r\n\r\n", b"abc"),
        (HEAD + b"Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", b""),
        (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", b""),
    ],
    ids=["length", "length 0", "chunked", "chunk extension", "trailers", "Chunked", "content coding", "205"],
)
def test_a_body_is_read_to_its_end_and_the_connection_is_reused(data: bytes, body: bytes) -> None:
    _, received, connections = receive(data)
    assert (received, connections) == (body, 1)


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (HEAD + b"\r\nabc", b"abc"),
        (b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc"),
        (HEAD + b"Connection: keep-alive\r\n\r\nabc", b"abc"),
        (HEAD + b"\r\n", b""),
    ],
)
def test_a_body_without_a_length_ends_with_the_connection(data: bytes, body: bytes) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        return await whole(await client.fetch(get(origin)))

    assert run_conversation(conversation, answering(data, then_close=True)) == body


@pytest.mark.parametrize(
    ("method", "data"),
    [
        ("HEAD", HEAD + b"Content-Length: 3\r\n\r\n"),
        ("HEAD", CHUNKED),
        ("HEAD", HEAD + b"\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ],
    ids=repr,
)
def test_a_response_that_has_no_body_ends_with_its_head(method: str, data: bytes) -> None:
    _, body, connections = receive(data, method)
    assert (body, connections) == (b"", 1)


@pytest.mark.parametrize(
    ("method", "data", "body"),
    [
        ("GET", HEAD + b"Content-Length: 3\r\n\r\nabcdef", b"abc"),
        ("GET", OK + OK, b"ok"),
        ("GET", OK + b"HTTP", b"ok"),
        ("GET", CHUNKED + b"0\r\n\r\nabc", b""),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", b""),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc", b""),
        ("HEAD", HEAD + b"Content-Length: 3\r\n\r\nabc", b""),
        ("HEAD", CHUNKED + b"3", b""),
        ("HEAD", CHUNKED + b"3\r\nabc\r\n0\r\n\r\n", b""),
        ("HEAD", HEAD + b"\r\nabc", b""),
        ("GET", HEAD + b"Connection: close\r\nContent-Length: 2\r\n\r\nokno", b"ok"),
    ],
    ids=repr,
)
def test_data_behind_a_complete_response_closes_the_connection(method: str, data: bytes, body: bytes) -> None:
    _, received, connections = receive(data, method)
    assert (received, connections) == (body, 2)


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Content-Length: 3x\r\n\r\nabc",
        HEAD + b"Content-Length: +3\r\n\r\nabc",
        HEAD + b"Content-Length: -3\r\n\r\nabc",
        HEAD + b"Content-Length: 0x3\r\n\r\nabc",
        HEAD + b"Content-Length: 3, 4\r\n\r\nabc",
        HEAD + b"Content-Length:\r\n\r\nabc",
        HEAD + b"Content-Length: 99999999999999999999999\r\n\r\nabc",
        HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: magic\r\n\r\nabc",
        HEAD + b"Transfer-Encoding: identity\r\n\r\nabc",
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\nabc",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=repr,
)
def test_invalid_framing_is_refused_before_the_head_is_returned(data: bytes) -> None:
    failure = head_refusal(data)
    assert (failure.kind, failure.disconnected) == (FailureKind.HTTP_PROTOCOL_ERROR, False)


@pytest.mark.parametrize(
    "chunks",
    [
        b"3\r\nabcX\r\n0\r\n\r\n",
        b"3\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"-3\r\nabc\r\n0\r\n\r\n",
        b"\r\nabc",
        b"ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        b"3 x\r\nabc\r\n0\r\n\r\n",
        b"3;a\rb\r\nabc\r\n0\r\n\r\n",
        b";a\r\nabc\r\n0\r\n\r\n",
        b" \r\nabc\r\n0\r\n\r\n",
        b"3_0\r\nabc\r\n0\r\n\r\n",
        b"3;" + b"a" * 40_000,
    ],
    ids=repr,
)
def test_a_broken_chunk_is_a_protocol_error(chunks: bytes) -> None:
    failure = refusal(CHUNKED + chunks)
    assert (failure.kind, failure.disconnected) == (FailureKind.HTTP_PROTOCOL_ERROR, False)


@pytest.mark.parametrize(
    "data",
    [HEAD + b"Content-Length: 3\r\n\r\nab", CHUNKED + b"3\r\nab", CHUNKED + b"3\r\nabc\r\n", CHUNKED + b"0\r"],
)
def test_a_truncated_body_is_incomplete(data: bytes) -> None:
    failure = refusal(data)
    assert (failure.kind, failure.disconnected) == (FailureKind.HTTP_RESPONSE_INCOMPLETE, False)


def test_the_received_part_of_a_truncated_body_is_returned_before_the_failure() -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> bytes:
        body = (await client.fetch(get(origin))).body()
        received = await anext(body)
        with pytest.raises(OriginFailure):
            await anext(body)
        return received

    assert run_conversation(conversation, answering(CHUNKED + b"3\r\nabc\r\nxyz", then_close=True)) == b"abc"


@pytest.mark.parametrize(
    "trailers",
    [LONG_FIELD_LINE * 70 + b"\r\n", b"X: " + b"a" * 400_000, b"X: a\r\n" * 60_000],
    ids=["many", "endless", "small"],
)
def test_a_trailer_section_above_the_limit_is_dropped(trailers: bytes) -> None:
    _, body, connections = receive(CHUNKED + b"3\r\nabc\r\n0\r\n" + trailers)
    assert (body, connections) == (b"abc", 2)


@pytest.mark.parametrize(
    "trailers",
    [
        b"Content-Length: 3\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n",
        b"no colon\r\n\r\n",
        b"X: a\n\n",
        b"X: a\0b\r\n\r\n",
        b" X: folded\r\n\r\n",
    ],
    ids=repr,
)
def test_a_body_in_chunks_is_complete_although_its_trailer_section_is_not_valid(trailers: bytes) -> None:
    """RFC 9112 §8: the last chunk completes a body. Nothing may follow on the connection."""
    _, body, connections = receive(CHUNKED + b"3\r\nabc\r\n0\r\n" + trailers)
    assert (body, connections) == (b"abc", 2)


@pytest.mark.parametrize(
    "size", [b"3 ", b"3\t  ", b" 3", b"3 ;ext", b"3; a = b", b'3;a="b;c" ; d', b"0003", b"00000000000000000000000003"]
)
def test_white_space_and_extensions_around_the_size_of_a_chunk_are_ignored(size: bytes) -> None:
    """RFC 9112 §7.1.1; Apache, nginx and Squid accept this too."""
    _, body, connections = receive(CHUNKED + size + b"\r\nabc\r\n000 \r\n\r\n")
    assert (body, connections) == (b"abc", 1)


@pytest.mark.parametrize("trailers", [b"X: y\r\n", b"", b"X"], ids=repr)
def test_a_body_whose_trailer_section_is_cut_is_incomplete(trailers: bytes) -> None:
    async def conversation(client: OriginClient, origin: RawOrigin) -> FailureKind:
        with pytest.raises(OriginFailure) as caught:
            await whole(await client.fetch(get(origin)))
        return caught.value.kind

    data = CHUNKED + b"3\r\nabc\r\n0\r\n" + trailers
    assert run_conversation(conversation, answering(data, then_close=True)) is FailureKind.HTTP_RESPONSE_INCOMPLETE


def test_a_reset_does_not_end_a_body_without_a_length() -> None:
    first_chunk_read = asyncio.Event()

    async def resetting(peer: Peer) -> None:
        await peer.request()
        await peer.send(HEAD + b"\r\nabc")
        await first_chunk_read.wait()
        peer.reset()

    async def conversation(client: OriginClient, origin: RawOrigin) -> None:
        body = (await client.fetch(get(origin))).body()
        assert await anext(body) == b"abc"
        first_chunk_read.set()
        with pytest.raises(OriginFailure) as caught:
            await anext(body)
        assert caught.value.kind is FailureKind.HTTP_RESPONSE_INCOMPLETE

    run_conversation(conversation, resetting)


@pytest.mark.parametrize("piece", [1, 100_000])
@pytest.mark.parametrize(("size", "accepted"), [(100, True), (101, False)])
def test_the_line_with_the_size_of_a_chunk_has_one_limit_in_any_pieces(piece: int, size: int, accepted: bool) -> None:
    line = b"3;" + b"a" * (size - len(b"3;\r\n")) + b"\r\n"
    data = CHUNKED + line + b"abc\r\n0\r\n\r\n"
    reader = ResponseReader("GET", "a.example", OriginOptions(max_line=100))
    for position in range(0, len(data), piece):
        if not reader.finished:
            reader.feed(data[position : position + piece])
    assert reader.complete is accepted
