"""The file with the time series: bounded, kept, and mended when it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.runtime.series.counts import NOTHING, Counts
from addon.runtime.series.series_file import FILE_NAME, STEPS, SeriesFile, step_for

NOON = 1_800_014_400
"""A time at the beginning of an hour, in seconds since the epoch."""
HOUR, DAY = 3600, 86_400


def hits(number: int) -> Counts:
    return (number, *NOTHING[1:])


@pytest.fixture(params=["on disk", "in memory"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> SeriesFile:
    return SeriesFile(tmp_path if request.param == "on disk" else None)


def test_counts_are_found_by_minute_by_five_minutes_and_by_hour(file: SeriesFile) -> None:
    for minute in (0, 1, 7):
        file.add(NOON + 60 * minute + 30, hits(minute + 1))
    now = NOON + 8 * 60
    assert file.points(HOUR, now) == [(NOON, hits(1)), (NOON + 60, hits(2)), (NOON + 420, hits(8))]
    assert file.points(DAY, now) == [(NOON, hits(3)), (NOON + 300, hits(8))]
    assert file.points(30 * DAY, now) == [(NOON, hits(11))]


def test_counts_of_one_minute_are_added_up(file: SeriesFile) -> None:
    file.add(NOON, hits(2))
    file.add(NOON + 59, hits(3))
    assert file.points(HOUR, NOON + 59) == [(NOON, hits(5))]


def test_a_range_ends_where_it_should_also_when_older_points_are_kept(file: SeriesFile) -> None:
    file.add(NOON - 8 * DAY, hits(1))
    file.add(NOON - 7 * DAY + HOUR, hits(2))
    file.add(NOON, hits(4))
    assert [counts for _, counts in file.points(7 * DAY, NOON)] == [hits(2), hits(4)]
    assert [counts for _, counts in file.points(9 * DAY, NOON)] == [hits(1), hits(2), hits(4)]


def test_points_of_a_clock_that_was_wrong_are_not_shown(file: SeriesFile) -> None:
    file.add(NOON + 10 * DAY, hits(1))
    assert file.points(30 * DAY, NOON) == []


def test_an_old_point_gives_way_to_a_new_one_and_the_file_does_not_grow(tmp_path: Path) -> None:
    file = SeriesFile(tmp_path)
    file.add(NOON, hits(1))
    size = (tmp_path / FILE_NAME).stat().st_size
    for hour in range(0, 2 * 720, 7):
        file.add(NOON + hour * HOUR, hits(1))
    assert (tmp_path / FILE_NAME).stat().st_size == size < 100_000
    now = NOON + (2 * 720 - 1) * HOUR
    assert file.points(30 * DAY, now)[0][0] > now - 30 * DAY


def test_two_processes_can_add_to_one_file(tmp_path: Path) -> None:
    SeriesFile(tmp_path).add(NOON, hits(1))
    SeriesFile(tmp_path).add(NOON, hits(2))
    assert SeriesFile(tmp_path).points(HOUR, NOON) == [(NOON, hits(3))]


def test_numbers_that_are_too_large_stay_the_largest(tmp_path: Path) -> None:
    file = SeriesFile(tmp_path)
    file.add(NOON, hits(2**63 - 1))
    file.add(NOON, hits(2**63 - 1))
    assert file.points(HOUR, NOON) == [(NOON, hits(2**63 - 1))]


@pytest.mark.parametrize("damaged", [b"", b"{}", b"\0" * 100_000, b"secondhand time series 9".ljust(32, b"\n")])
def test_a_file_that_is_something_else_has_no_points_and_is_begun_anew(
    damaged: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE_NAME).write_bytes(damaged)
    file = SeriesFile(tmp_path)
    assert file.points(HOUR, NOON) == []
    file.mend()
    file.add(NOON, hits(1))
    assert file.points(HOUR, NOON) == [(NOON, hits(1))]
    message = f"{tmp_path / FILE_NAME}: expected the time series of this version, found something else;"
    assert [record.getMessage().startswith(message) for record in caplog.records] == [True] * bool(damaged)


def test_a_damaged_point_is_emptied_and_the_others_stay(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, path = SeriesFile(tmp_path), tmp_path / FILE_NAME
    file.add(NOON, hits(1))
    file.add(NOON + 60, hits(2))
    content = path.read_bytes()
    second = content.index((NOON + 60).to_bytes(8, "little"))
    path.write_bytes(content[: second + 9] + b"\xff" + content[second + 10 :])
    assert file.points(HOUR, NOON + 60) == [(NOON, hits(1))]
    assert file.points(DAY, NOON + 60) == [(NOON, hits(3))]
    file.mend()
    file.mend()
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: 1 of its points were damaged, and are now empty"
    ]
    file.add(NOON + 60, hits(4))
    assert file.points(HOUR, NOON + 60) == [(NOON, hits(1)), (NOON + 60, hits(4))]


def test_without_a_file_there_are_no_points_and_none_is_made(tmp_path: Path) -> None:
    assert SeriesFile(tmp_path).points(HOUR, NOON) == []
    assert not list(tmp_path.iterdir())


def test_a_link_to_another_file_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"precious")
    (tmp_path / FILE_NAME).symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        SeriesFile(tmp_path).add(NOON, hits(1))
    assert other.read_bytes() == b"precious"


@pytest.mark.parametrize(("seconds", "step"), [(1, 60), (HOUR, 60), (HOUR + 1, 300), (DAY, 300), (7 * DAY, 3600)])
def test_the_finest_step_that_covers_a_time_is_used(seconds: int, step: int) -> None:
    assert step_for(seconds).seconds == step


def test_a_time_for_which_nothing_is_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 30 days"):
        step_for(STEPS[-1].span + 1)
