"""A log that is a pipe, as the standard output of a container: lines of several processes do not break each other."""

from __future__ import annotations

import asyncio
import os
import select
from pathlib import Path
from threading import Thread

import pytest

from addon.runtime.access_log import file
from addon.runtime.access_log.file import AccessLog, _pieces
from tests.fixtures.until import LONGEST


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


def closed_log(path: Path, *lines: str) -> None:
    """Write lines to a log, and close it."""

    async def run() -> None:
        log = AccessLog(path)
        for line in lines:
            log._add(line)
        await log.close()

    asyncio.run(asyncio.wait_for(run(), LONGEST))


def test_a_named_pipe_without_a_reader_lets_the_log_be_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    os.mkfifo(tmp_path / "pipe")
    closed_log(tmp_path / "pipe")
    assert not caplog.messages
    closed_log(tmp_path / "pipe", "one", "two")
    assert caplog.messages == [f"{tmp_path / 'pipe'}: 2 lines are lost: nothing reads this pipe"]


def test_a_named_pipe_whose_reader_does_not_read_lets_the_log_be_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "WRITE_TIMEOUT", 0.01)
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        closed_log(tmp_path / "pipe", *["a" * 1000] * 1000)
        assert caplog.messages == [f"{tmp_path / 'pipe'}: 1000 lines are lost: the reader of this pipe does not read"]
    finally:
        os.close(reading)


def test_a_reader_that_is_slower_than_the_log_gets_all_lines(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    other_writer = os.open(tmp_path / "pipe", os.O_WRONLY)  # or the reader is at the end before the log has begun
    os.set_blocking(reading, True)
    lines = [f"{number:06}" + "a" * 1000 for number in range(1000)]

    def write() -> None:
        try:
            closed_log(tmp_path / "pipe", *lines)
        finally:
            os.close(other_writer)  # the reader is at the end now, also if lines are lost

    writing = Thread(target=write)
    writing.start()
    with os.fdopen(reading) as pipe:
        read = pipe.read().splitlines()
    writing.join()
    assert read == lines
