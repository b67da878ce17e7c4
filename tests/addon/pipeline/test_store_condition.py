"""The condition of a store: one line in the log for each change, whatever the number of requests."""

from __future__ import annotations

import logging

import pytest

from addon.pipeline.store_condition import SILENCE, StoreCondition, StoreState
from cache.stores.base import StoreError


def test_each_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    condition = StoreCondition()
    for reason in ("the disk is full", "the disk is full", "another reason"):
        condition.change(StoreState.FAILING, reason)
    assert [record.message for record in caplog.records] == [
        "the store cannot store responses for now: the disk is full"
    ]
    assert condition.described() == {"state": "failing", "reason": "another reason"}
    condition.change(StoreState.OPEN)
    condition.change(StoreState.OPEN)
    assert caplog.records[-1].message == "the store works again"
    assert len(caplog.records) == 2
    assert condition.described() == {"state": "open"}


def test_single_failures_are_logged_once_a_minute_and_always_reported(caplog: pytest.LogCaptureFixture) -> None:
    now, observed = [0.0], list[bool]()
    condition = StoreCondition(lambda: now[0])
    condition.observe_failures(lambda: observed.append(True))
    for seconds in (0.0, SILENCE / 2, SILENCE):
        now[0] = seconds
        condition.note_failure("write", StoreError("the entry is too large"))
    assert [record.message for record in caplog.records] == ["store: cannot write: the entry is too large"] * 2
    assert len(observed) == 3


def test_failures_of_a_store_that_is_known_to_fail_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    condition = StoreCondition()
    condition.change(StoreState.CLOSED, "the disk is full")
    caplog.clear()
    condition.note_failure("write", StoreError("no room"))
    assert not caplog.records


def test_the_latest_problem_is_known_after_it_has_gone() -> None:
    now = [100.0]
    condition = StoreCondition(clock=lambda: now[0])
    assert condition.last_problem == ""
    condition.change(StoreState.FAILING, "the disk is full")
    now[0] = 200.0
    condition.change(StoreState.OPEN)
    assert (condition.last_problem, condition.last_problem_at) == ("the disk is full", 100.0)
    condition.note_failure("write", StoreError("the entry is too large"))
    assert (condition.last_problem, condition.last_problem_at) == ("cannot write: the entry is too large", 200.0)
