"""Inputs in other forms have the same bytes, or the same bytes again and again."""

from __future__ import annotations

from tools.fuzz.pieces import MAX_REPEATED, REPEATED_SIZE, repeated, splits


def test_pieces_are_the_whole_input() -> None:
    for data in (b"", b"a", b"abcdefgh", bytes(100)):
        assert all(b"".join(pieces) == data for pieces in splits(data))
    assert [len(pieces) for pieces in splits(bytes(100))] == [100, 15, 2]


def test_some_short_inputs_are_repeated() -> None:
    found = [data for number in range(5000) if (data := repeated(b"%d" % number)) is not None]
    assert 0 < len(found) < 50
    assert all(REPEATED_SIZE - MAX_REPEATED <= len(data) <= REPEATED_SIZE for data in found)
    assert repeated(b"") is None
    assert repeated(bytes(MAX_REPEATED + 1)) is None
