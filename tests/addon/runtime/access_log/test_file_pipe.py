"""A log that is a pipe, as the standard output of a container: lines of several processes do not break each other."""

from __future__ import annotations

import os
import select
from pathlib import Path

from addon.runtime.access_log.file import AccessLog, _pieces


def test_a_pipe_gets_whole_lines_in_pieces_that_it_takes_at_once() -> None:
    lines = [b"%d%b\n" % (number, b"a" * 700) for number in range(50)]
    pieces = list(_pieces(lines))
    assert b"".join(pieces) == b"".join(lines)
    assert all(len(piece) <= select.PIPE_BUF and piece.endswith(b"\n") for piece in pieces)
    assert len(pieces) < len(lines) / 4


def test_a_line_that_is_longer_than_such_a_piece_is_written_nevertheless() -> None:
    long = b"a" * (select.PIPE_BUF + 1) + b"\n"
    assert list(_pieces([b"b\n", long, b"c\n"])) == [b"b\n", long, b"c\n"]


def test_standard_output_can_be_the_log() -> None:
    reading, writing = os.pipe()
    try:
        log = AccessLog(Path(f"/proc/self/fd/{writing}"))
        log.check()
        log._append(["one", "two"])
        assert os.read(reading, 100) == b"one\ntwo\n"
    finally:
        os.close(reading)
        os.close(writing)
