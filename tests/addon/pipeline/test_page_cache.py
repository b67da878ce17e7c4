"""Reads from the page cache: all that was asked for, or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from addon.pipeline.page_cache import LARGEST, read_cached


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    """Yield the descriptor of a file with ten bytes, which are in the page cache."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        yield file.fileno()


def all_of_it(descriptor: int, buffers: list[memoryview], start: int, _flags: int) -> int:
    """Read as os.preadv does on a file system that knows what is in the page cache."""
    return os.readv(descriptor, buffers) if os.lseek(descriptor, start, os.SEEK_SET) == start else 0


def test_what_is_in_the_page_cache_is_read(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "preadv", all_of_it)
    assert read_cached(descriptor, 2, 6) == b"2345"
    assert read_cached(descriptor, 0, 10) == b"0123456789"


def test_a_part_of_what_was_asked_for_is_not_enough(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "preadv", all_of_it)
    assert read_cached(descriptor, 5, 11) is None


def test_a_read_that_would_have_to_wait_is_none(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def would_wait(*_: object) -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "preadv", would_wait)
    assert read_cached(descriptor, 2, 6) is None


def test_no_more_is_read_at_a_time_than_there_is_room_for(descriptor: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "preadv", lambda *_: LARGEST + 1)
    assert read_cached(descriptor, 0, LARGEST + 1) is None
