"""The recorder of the time series: what it adds when, and what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from threading import Event

import pytest

from addon.runtime.control_client import ControlError
from addon.runtime.series.counts import COUNTS
from addon.runtime.series.recorder import SeriesRecorder, described
from addon.runtime.series.series_file import FILE_NAME, SeriesFile
from tests.fixtures.until import LONGEST

NOON = 1_800_014_400.0


class Counting:
    """A proxy with counters, and a clock that stands still."""

    def __init__(self, file: SeriesFile) -> None:
        self.hits = 0
        self.now = NOON
        self.recorder = SeriesRecorder(file, self.counters, lambda: self.now, in_thread=False)

    async def counters(self) -> Mapping[str, int]:
        return {"hits": self.hits, "answers.hit": self.hits}

    def note(self, hits: int, seconds: float) -> None:
        """Let some hits and some time pass, and note the counters."""
        self.hits += hits
        self.now += seconds
        asyncio.run(self.recorder.note())

    def points(self, name: str = "1h") -> dict[int, int]:
        """Return the hits by the seconds after noon."""
        reply = asyncio.run(self.recorder.handle({"range": name}))
        points = reply["points"]
        assert isinstance(points, list)
        return {point["at"] - int(NOON): point["hit"] for point in points}


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    return Counting(SeriesFile(tmp_path))


def test_what_was_counted_within_a_minute_belongs_to_that_minute(counting: Counting) -> None:
    counting.note(3, 60.01)
    counting.note(4, 60.0)
    assert counting.points() == {0: 3, 60: 4, 120: 0}


def test_the_minute_that_is_not_over_is_told_too(counting: Counting) -> None:
    counting.note(3, 60.01)
    counting.hits, counting.now = 5, counting.now + 10
    assert counting.points() == {0: 3, 60: 2}
    counting.note(1, 10)
    assert counting.points() == {0: 3, 60: 3}


def test_what_was_counted_before_a_long_sleep_belongs_to_the_minute_of_waking(counting: Counting) -> None:
    counting.note(0, 60.01)
    counting.note(1, 8 * 3600)
    assert counting.points("24h") == {0: 0, 8 * 3600: 1}


def test_a_clock_that_is_set_back_loses_nothing(counting: Counting) -> None:
    counting.note(1, 0)
    counting.note(2, -3600)
    counting.note(4, 3600)
    assert sum(counting.points("24h").values()) == 7


def test_the_series_go_on_after_a_restart(tmp_path: Path, counting: Counting) -> None:
    counting.note(3, 30)
    again = Counting(SeriesFile(tmp_path))
    again.note(4, 40)
    assert again.points() == {0: 7}


def test_what_cannot_be_written_is_added_later_with_one_message(
    tmp_path: Path, counting: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE_NAME).mkdir()
    counting.note(3, 60)
    counting.note(4, 60)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["the time series cannot be written"]
    with pytest.raises(ControlError, match="cannot be read"):
        counting.points()
    (tmp_path / FILE_NAME).rmdir()
    counting.note(0, 60)
    assert sum(counting.points().values()) == 7


def test_a_store_that_is_away_has_no_message_of_its_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    counting = Counting(SeriesFile(tmp_path / "away"))
    counting.note(3, 60)
    assert not caplog.records
    (tmp_path / "away").mkdir()
    assert sum(counting.points().values()) == 3


def test_a_range_is_described_with_all_numbers(counting: Counting) -> None:
    counting.note(3, 10)
    reply = asyncio.run(counting.recorder.handle({"range": "24h"}))
    point = {"at": int(NOON), **dict.fromkeys(COUNTS, 0), "hit": 3}
    assert reply == {"range": "24h", "step": 300, "points": [point]}


def test_an_unknown_range_is_refused(counting: Counting) -> None:
    with pytest.raises(ValueError, match="expected a range of 1h, 24h, 30d, found 2h"):
        counting.points("2h")


def test_the_recorder_looks_as_soon_as_it_starts_and_once_more_at_the_end(counting: Counting) -> None:
    async def run() -> None:
        counting.recorder.start()
        await asyncio.sleep(0)
        counting.hits = 5
        await counting.recorder.close()

    asyncio.run(run())
    assert counting.points() == {0: 5}


def test_a_note_that_is_cancelled_while_it_is_written_is_not_added_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(SeriesFile(tmp_path))
    recorder = SeriesRecorder(SeriesFile(tmp_path), counting.counters, lambda: counting.now)
    is_writing, may_write = Event(), Event()
    add = SeriesFile.add

    def slow_add(file: SeriesFile, at: float, counts: tuple[int, ...]) -> None:
        is_writing.set()
        assert may_write.wait(LONGEST)
        add(file, at, counts)

    async def run() -> None:
        recorder.start()
        assert await asyncio.to_thread(is_writing.wait, LONGEST)
        closing = asyncio.create_task(recorder.close())
        await asyncio.sleep(0.01)
        may_write.set()
        await asyncio.wait_for(closing, LONGEST)

    counting.hits = 3
    monkeypatch.setattr(SeriesFile, "add", slow_add)
    asyncio.run(run())
    points = SeriesFile(tmp_path).points(3600, counting.now)
    assert sum(int(str(described(*point)["hit"])) for point in points) == 3
