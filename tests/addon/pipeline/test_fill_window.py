"""The stretch of a growing body that is held in memory."""

from __future__ import annotations

from addon.pipeline.fill_window import FillWindow


def grown(*chunks: bytes) -> FillWindow:
    window = FillWindow()
    for chunk in chunks:
        window.append(chunk)
    return window


def test_octets_are_found_wherever_a_reader_is() -> None:
    window = grown(b"abc", b"", b"de")
    assert [window.at(position) for position in range(6)] == [b"abc", b"bc", b"c", b"de", b"e", None]


def test_what_is_let_go_of_is_gone_chunk_by_chunk() -> None:
    window = grown(b"abc", b"de", b"f")
    window.let_go(4)
    assert (window.start, window.end, window.at(2), window.at(3)) == (3, 6, None, b"de")
    window.let_go(6)
    assert (window.start, window.at(5)) == (6, None)


def test_nothing_is_held_before_anything_came() -> None:
    window = FillWindow()
    window.let_go(0)
    assert (window.start, window.end, window.at(0)) == (0, 0, None)
