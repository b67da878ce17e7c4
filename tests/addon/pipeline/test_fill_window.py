"""The part of a growing body that is held in memory."""

from __future__ import annotations

from addon.pipeline.fill_window import FillWindow


def window_of(*chunks: bytes) -> FillWindow:
    window = FillWindow()
    for chunk in chunks:
        window.append(chunk)
    return window


def test_bytes_are_found_at_each_position() -> None:
    window = window_of(b"abc", b"", b"de")
    assert [window.at(position) for position in range(6)] == [b"abc", b"bc", b"c", b"de", b"e", None]


def test_bytes_are_released_in_whole_chunks() -> None:
    window = window_of(b"abc", b"de", b"f")
    window.release(4)
    assert (window.start, window.end, window.at(2), window.at(3)) == (3, 6, None, b"de")
    window.release(6)
    assert (window.start, window.at(5)) == (6, None)


def test_a_new_window_is_empty() -> None:
    window = FillWindow()
    window.release(0)
    assert (window.start, window.end, window.at(0)) == (0, 0, None)
