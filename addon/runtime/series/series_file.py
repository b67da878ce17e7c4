"""The file with the time series: a fixed number of slots for minutes, for 5 minutes, and for hours.

It has a header and then the slots, all of the same size. The place of a slot follows from the time that it is for, so
a later time takes the place of one that is too old, and the file never grows. A slot has its time, its numbers and a
checksum: one that was only half written when the machine stopped counts as empty, and the others stay. Several
processes may add to the file; each locks it.
"""

from __future__ import annotations

import io
import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from addon.runtime.locked_file import locked_file, rewrite
from addon.runtime.series.counts import COUNTS, NOTHING, Counts

FILE_NAME = "time-series"
"""The name of the file in the store's directory."""

logger = logging.getLogger(__name__)

_HEADER = b"secondhand time series 1".ljust(32, b"\n")
_NUMBERS = struct.Struct(f"<q{len(COUNTS)}q")
"""The time in seconds since the epoch, and the numbers."""
_CHECKSUM = struct.Struct("<I")
_SLOT = _NUMBERS.size + _CHECKSUM.size
_EMPTY = bytes(_SLOT)
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Step:
    """The time between two points, and how many of them are kept."""

    seconds: int
    kept: int

    @property
    def span(self) -> int:
        """The time that the points cover, in seconds."""
        return self.seconds * self.kept


STEPS = (Step(60, 60), Step(300, 288), Step(3600, 720))
"""Minutes for an hour, 5 minutes for a day, and hours for 30 days."""

LONGEST = STEPS[-1].span
"""Seconds for which the series are kept."""

_SIZE = len(_HEADER) + _SLOT * sum(step.kept for step in STEPS)


def step_for(seconds: float) -> Step:
    """Return the finest step whose points cover a time. Raises ValueError if the time is too long."""
    for step in STEPS:
        if seconds <= step.span:
            return step
    raise ValueError(f"expected at most {LONGEST // 86_400} days")


class SeriesFile:
    """The time series of one store, in its directory; or in memory."""

    def __init__(self, directory: Path | None) -> None:
        """Use the file in a directory; None to keep the series in memory."""
        self._path = directory / FILE_NAME if directory else None
        self._memory = io.BytesIO()

    def mend(self) -> None:
        """Make the file if there is none, and empty what is damaged, with a message. Raises OSError."""
        with self._opened() as file:
            damaged = 0
            for place in range(len(_HEADER), _SIZE, _SLOT):
                file.seek(place)
                slot = file.read(_SLOT)
                if slot != _EMPTY and not _is_intact(slot):
                    damaged += 1
                    file.seek(place)
                    file.write(_EMPTY)
            if damaged:
                logger.warning("%s: %d of its points were damaged, and are now empty", self._path, damaged)

    def add(self, at: float, counts: Counts) -> None:
        """Add numbers to the points of a time, in seconds since the epoch. Raises OSError."""
        with self._opened() as file:
            for step, first in _places():
                start = int(at) // step.seconds * step.seconds
                place = first + start // step.seconds % step.kept * _SLOT
                file.seek(place)
                known_start, known = _numbers(file.read(_SLOT))
                before = known if known_start == start else NOTHING
                both = (min(old + new, _LARGEST) for old, new in zip(before, counts, strict=True))
                numbers = _NUMBERS.pack(start, *both)
                file.seek(place)
                file.write(numbers + _CHECKSUM.pack(zlib.crc32(numbers)))

    def points(self, seconds: float, now: float) -> list[tuple[int, Counts]]:
        """Return the points of the last seconds, oldest first: the time at which each begins, and its numbers.

        Times at which no proxy was running have none. The file is not changed, and a damaged one has no points.

        Raises:
            OSError: it cannot be read.
            ValueError: the time is longer than that for which points are kept.
        """
        wanted = step_for(seconds)
        newest = int(now) // wanted.seconds * wanted.seconds
        oldest = newest - (min(wanted.kept, -(-int(seconds) // wanted.seconds)) - 1) * wanted.seconds
        content = self._memory.getvalue() if self._path is None else _content(self._path)
        if not _is_series(content):
            return []
        (first,) = (place for step, place in _places() if step == wanted)
        slots = (content[place : place + _SLOT] for place in range(first, first + wanted.kept * _SLOT, _SLOT))
        return sorted(point for point in map(_numbers, slots) if oldest <= point[0] <= newest)

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """Open the file for this process alone; one that is not as it should be is begun anew."""
        if self._path is None:
            _begin_anew_unless_valid(self._memory, None)
            yield self._memory
            return
        with locked_file(self._path) as file:
            _begin_anew_unless_valid(file, self._path)
            yield file


def _begin_anew_unless_valid(file: BinaryIO, path: Path | None) -> None:
    file.seek(0)
    header = file.read(len(_HEADER))
    size = file.seek(0, io.SEEK_END)
    if header == _HEADER and size == _SIZE:
        return
    if size:
        logger.warning("%s: expected the time series of this version, found something else; they begin anew", path)
    rewrite(file, _HEADER + bytes(_SIZE - len(_HEADER)))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_SIZE + 1)
    except FileNotFoundError:
        return b""


def _is_series(content: bytes) -> bool:
    return len(content) == _SIZE and content.startswith(_HEADER)


def _places() -> Iterator[tuple[Step, int]]:
    """Iterate over the steps, and where in the file the first slot of each is."""
    place = len(_HEADER)
    for step in STEPS:
        yield step, place
        place += step.kept * _SLOT


def _is_intact(slot: bytes) -> bool:
    numbers, checksum = slot[: _NUMBERS.size], slot[_NUMBERS.size :]
    return len(slot) == _SLOT and _CHECKSUM.unpack(checksum)[0] == zlib.crc32(numbers)


def _numbers(slot: bytes) -> tuple[int, Counts]:
    """Return the time and the numbers of a slot; an empty one, and a damaged one, is of the time -1."""
    if not _is_intact(slot):
        return -1, NOTHING
    start, *counts = _NUMBERS.unpack(slot[: _NUMBERS.size])
    return start, tuple(counts)
