"""Responses in pieces, and arbitrary bytes: the result depends on the bytes alone, and nothing is raised."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from addon.origin.options import OriginOptions
from addon.origin.response_reader import ResponseReader
from tests.fixtures.strategies import unhurried

_TOKENS = [
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 304 x\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Content-Length : 0\r\n", b"X: a\r\n b\r\n"),
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"5\r\nhello\r\n",
        b"5 ;x\r\n",
        b"5;" + b"x" * 100 + b"\r\n",
        b"5\nhello\n",
        b"hello",
        b"0\r\n",
        b"0\r\n\r\n",
        b"A: b\r\n",
    ),
]
almost_responses = st.builds(
    bytes.__add__, st.sampled_from([b"HTTP/1.1 200 OK\r\n", b""]), st.lists(st.sampled_from(_TOKENS)).map(b"".join)
)
options = st.sampled_from([OriginOptions(max_head=200, max_line=100), OriginOptions(reads_leniently=True)])


def result(pieces: list[bytes], options: OriginOptions, *, clean: bool) -> tuple[object, ...]:
    reader, body = ResponseReader("GET", "a.example", options), b""
    for piece in pieces:
        if not reader.finished:
            reader.feed(piece)
    reader.end(clean=clean)
    while (chunk := reader.take_chunk()) is not None:
        body += chunk
    return reader.head, body, reader.complete, reader.trailers, reader.failure and reader.failure.kind


@unhurried
@given(almost_responses, options, st.booleans())
def test_a_response_means_the_same_in_pieces_of_one_byte(data: bytes, options: OriginOptions, clean: bool) -> None:
    pieces = [data[position : position + 1] for position in range(len(data))]
    assert result([data], options, clean=clean) == result(pieces, options, clean=clean)


@unhurried
@given(almost_responses | st.binary(), options, st.integers(0, 60))
def test_any_bytes_lead_to_a_complete_response_or_a_failure(data: bytes, options: OriginOptions, cut: int) -> None:
    _, _, complete, _, failure = result([data[:cut], data[cut:]], options, clean=True)
    assert complete is (failure is None)
