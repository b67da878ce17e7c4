"""The proxy's clock follows a wall clock that was set, and not one that is wrong for a moment."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from addon.runtime.clock import BELIEVED_AFTER, Clock, elapsed_seconds, name_of_boot
from cache.policy.clock_setting import ClockSetting
from tests.lanes.manual_clock import START, ManualClock


def let_pass(clock: ManualClock, seconds: int) -> list[float]:
    """Let seconds pass, and compare the clocks after each. Return the times that the proxy's clock showed."""
    shown = []
    for _ in range(seconds):
        clock.advance(1)
        clock.follow()
        shown.append(clock.now() - START)
    return shown


@pytest.mark.parametrize("step", [7200, -7200])
def test_a_wall_clock_that_is_wrong_for_some_seconds_changes_nothing(step: float) -> None:
    clock = ManualClock()
    clock.set(step)
    assert let_pass(clock, 4) == [1, 2, 3, 4]
    clock.set(-step)
    assert let_pass(clock, 4) == [5, 6, 7, 8]


@pytest.mark.parametrize("step", [7200, -7200])
def test_a_wall_clock_that_stays_set_is_believed(step: float) -> None:
    clock = ManualClock()
    clock.set(step)
    clock.follow()
    assert let_pass(clock, 6) == [1, 2, 3, 4, step + 5, step + 6]


def test_the_time_before_a_wrong_time_is_believed_at_once() -> None:
    clock = ManualClock()
    clock.set(7200)
    clock.follow()
    assert let_pass(clock, 5)[-1] == 7205
    clock.set(-7200)
    assert let_pass(clock, 2) == [6, 7]


def test_a_wall_clock_that_changes_all_the_time_is_not_believed() -> None:
    clock = ManualClock()
    for second in range(1, 20):
        clock.set(100)
        assert let_pass(clock, 1) == [second]


def test_a_first_time_that_was_wrong_is_corrected() -> None:
    elapsed, wall = 0.0, 100.0  # a machine that starts in 1970
    clock = Clock(lambda: wall, lambda: elapsed)
    wall = START
    clock.follow()
    elapsed += BELIEVED_AFTER
    wall += BELIEVED_AFTER
    assert clock.follow()
    assert clock() == wall


def test_two_comparisons_long_apart_are_enough() -> None:
    clock = ManualClock()
    clock.set(3600)
    clock.follow()
    clock.advance(86_400)  # perhaps the machine slept
    assert clock.follow()
    assert clock.now() == START + 3600 + 86_400


def test_small_differences_are_ignored() -> None:
    clock = ManualClock()
    clock.set(0.4)
    assert let_pass(clock, 10)[-1] == 10


def test_the_time_of_suspend_passes() -> None:
    clock = ManualClock()
    clock.advance(3600)  # the boot clock and the wall clock both go on
    assert not clock.follow()
    assert clock.now() == START + 3600


def test_a_clock_that_was_set_back_is_known_by_how_much() -> None:
    clock = ManualClock()
    before = clock.setting
    clock.set(-3600)
    clock.follow()
    let_pass(clock, 5)
    assert clock.setting.set_back_since(before) == 3600
    assert before.set_back_since(clock.setting) == 0


def test_settings_of_different_boots_are_not_compared() -> None:
    assert ClockSetting(1, 0.0).set_back_since(ClockSetting(2, 3600.0)) == 0


@pytest.mark.parametrize("read", [elapsed_seconds, name_of_boot])
def test_the_clock_that_cannot_be_set_has_one_name_until_the_machine_starts_anew(read: Callable[[], float]) -> None:
    assert 0 <= read() <= read()


def test_the_real_clock_shows_the_time_of_the_system() -> None:
    before = time.time()
    assert before - 1 < Clock()() < time.time() + 1
