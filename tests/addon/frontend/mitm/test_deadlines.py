"""A deadline within a layer asks to be woken up as seldom as it can."""

from __future__ import annotations

from math import inf

from mitmproxy.proxy.commands import RequestWakeup

from addon.frontend.mitm.deadlines import Deadline


def delays(deadline: Deadline, due: float, now: float) -> list[float]:
    return [command.delay for command in deadline.set(due, now) if isinstance(command, RequestWakeup)]


def test_a_deadline_that_moves_on_has_one_wake_up() -> None:
    deadline = Deadline()
    assert delays(deadline, 10, now=0) == [10]
    assert delays(deadline, 20, now=5) == []
    assert not deadline.woken(10)
    assert delays(deadline, 20, now=10) == [10]
    assert deadline.woken(20)


def test_a_deadline_that_is_nearer_than_the_wake_up_has_one_of_its_own() -> None:
    deadline = Deadline()
    assert delays(deadline, 100, now=0) == [100]
    assert delays(deadline, 10, now=0) == [10]
    assert deadline.woken(10)


def test_nothing_is_due_without_a_deadline() -> None:
    deadline = Deadline()
    assert delays(deadline, 10, now=0) == [10]
    assert delays(deadline, inf, now=5) == []
    assert not deadline.woken(10)
