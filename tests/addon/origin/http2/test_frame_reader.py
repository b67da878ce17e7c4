"""Frames are read the same however their bytes arrive, and any bytes are frames or a fault."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from addon.origin.http2 import frames
from addon.origin.http2.faults import ConnectionFault
from addon.origin.http2.frame_reader import MAX_READ, Frame, FrameReader

FRAMES = b"".join(
    [
        frames.settings_frame({3: 100}),
        frames.header_frames(1, b"block" * 8000, end_stream=True),
        frames.frame(frames.DATA, frames.END_STREAM, 3, b"content"),
        frames.window_frame(0, 7),
        frames.goaway_frame(3, frames.ErrorCode.NO_ERROR, "end"),
    ]
)


def read(pieces: list[bytes]) -> list[Frame]:
    reader, found = FrameReader(65_536, 8, preface=frames.PREFACE), []
    for piece in pieces:
        reader.feed(piece)
        while (frame := reader.next()) is not None:
            found.append(frame)
    return found


def test_frames_are_read_in_order_and_a_header_block_is_one_frame() -> None:
    found = read([frames.PREFACE + FRAMES])
    kinds = [frames.SETTINGS, frames.HEADERS, frames.DATA, frames.WINDOW_UPDATE, frames.GOAWAY]
    assert [frame.kind for frame in found] == kinds
    assert found[1] == Frame(frames.HEADERS, frames.END_STREAM, 1, b"block" * 8000)
    assert found[2] == Frame(frames.DATA, frames.END_STREAM, 3, b"content")


@given(st.lists(st.integers(0, len(frames.PREFACE + FRAMES)), max_size=30))
def test_frames_may_be_split_anywhere(cuts: list[int]) -> None:
    data = frames.PREFACE + FRAMES
    places = [0, *sorted(cuts), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(places)]
    assert read(pieces) == read([data])


@given(st.lists(st.binary(max_size=100), max_size=10))
def test_any_bytes_are_frames_or_a_fault(pieces: list[bytes]) -> None:
    with suppress(ConnectionFault):
        assert all(0 <= frame.kind < 256 for frame in read([frames.PREFACE, *pieces]))


def test_the_reserved_bit_of_a_stream_is_ignored() -> None:
    data = frames.HEAD.pack(0 << 8 | frames.DATA, 0, 0x8000_0005)
    assert read([frames.PREFACE + data]) == [Frame(frames.DATA, 0, 5, b"")]


def test_nothing_is_left_of_what_is_dropped() -> None:
    reader = FrameReader(65_536, 8)
    reader.feed(frames.frame(frames.HEADERS, 0, 1, b"begun") + frames.frame(frames.CONTINUATION, 0, 1, b"more")[:-1])
    assert reader.next() is None
    assert reader.inside_block
    reader.drop()
    assert not reader.inside_block
    assert reader.waiting == 0
    assert reader.next() is None


def test_little_is_kept_of_what_was_read() -> None:
    ping = frames.frame(frames.PING, 0, 0, bytes(8))
    reader, count = FrameReader(65_536, 8), 3 * MAX_READ // len(ping)
    reader.feed(ping * count)
    for _ in range(count):
        assert reader.next() is not None
    assert reader.next() is None
    assert max(len(each) for each in vars(reader).values() if isinstance(each, bytes)) <= MAX_READ + len(ping)
