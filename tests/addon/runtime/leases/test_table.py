"""The table of leases: who holds one, who waits, and what each is told."""

from __future__ import annotations

import pytest

from addon.runtime.leases.frames import Result, Telling
from addon.runtime.leases.table import LeaseTable

LIMIT = 5.0
KEY, OTHER_KEY = b"k" * 16, b"o" * 16


class Worker:
    """A worker that keeps what it is told."""

    def __init__(self, table: LeaseTable) -> None:
        self.told: list[tuple[Telling, int]] = []
        self.seconds: list[int] = []
        self._table = table

    def tell(self, telling: Telling, number: int, seconds: int = 0) -> None:
        self.told.append((telling, number))
        self.seconds.append(seconds)

    def asks(self, number: int, name: bytes = KEY, *, now: float = 0.0) -> None:
        self._table.ask(self, number, name, LIMIT, now=now)

    def ends(self, number: int, result: Result, seconds: int = 0, *, now: float = 0.0) -> None:
        self._table.end(self, number, result, seconds, now=now)


@pytest.fixture
def table() -> LeaseTable:
    return LeaseTable()


@pytest.fixture
def holder(table: LeaseTable) -> Worker:
    """Return a worker that holds the lease of KEY, which is its ask number 1."""
    holder = Worker(table)
    holder.asks(1)
    assert holder.told == [(Telling.GRANTED, 1)]
    return holder


def test_one_worker_holds_a_lease_and_is_told_once_that_others_wait(table: LeaseTable, holder: Worker) -> None:
    first, second = Worker(table), Worker(table)
    first.asks(7)
    second.asks(8)
    assert first.told == [(Telling.WAIT, 7)]
    assert second.told == [(Telling.WAIT, 8)]
    assert holder.told[1:] == [(Telling.WANTED, 1)]


def test_leases_of_different_names_do_not_wait_for_each_other(table: LeaseTable, holder: Worker) -> None:
    holder.asks(2, OTHER_KEY)
    assert holder.told[1:] == [(Telling.GRANTED, 2)]
    assert len(table) == 2


@pytest.mark.parametrize(("result", "told"), [(Result.STORED, Telling.STORED), (Result.NOT_SHARED, Telling.NOT_SHARED)])
def test_all_who_wait_are_told_how_a_lease_ended(
    table: LeaseTable, holder: Worker, result: Result, told: Telling
) -> None:
    waiting = [Worker(table) for _ in range(3)]
    for worker in waiting:
        worker.asks(7)
    holder.ends(1, result, 120)
    assert [worker.told[1:] for worker in waiting] == [[(told, 7)]] * 3
    assert [worker.seconds[-1] for worker in waiting] == [120] * 3
    assert not len(table)


def test_a_lease_that_came_to_nothing_is_passed_on_to_the_one_that_waits_longest(
    table: LeaseTable, holder: Worker
) -> None:
    first, second = Worker(table), Worker(table)
    first.asks(7)
    second.asks(8)
    holder.ends(1, Result.PASSED_ON)
    assert first.told[1:] == [(Telling.GRANTED, 7), (Telling.WANTED, 7)]
    first.ends(7, Result.STORED)
    assert second.told[1:] == [(Telling.STORED, 8)]


def test_the_leases_of_a_worker_that_dies_are_passed_on_and_it_waits_for_none(
    table: LeaseTable, holder: Worker
) -> None:
    dying, other = Worker(table), Worker(table)
    dying.asks(1, OTHER_KEY)
    dying.asks(2)  # waits for the holder
    other.asks(3, OTHER_KEY)
    table.lost(dying, now=0.0)
    assert other.told[-1] == (Telling.GRANTED, 3)
    holder.ends(1, Result.PASSED_ON)
    assert len(table) == 1
    assert dying.told == [(Telling.GRANTED, 1), (Telling.WAIT, 2), (Telling.WANTED, 1)]


def test_a_worker_may_stop_waiting(table: LeaseTable, holder: Worker) -> None:
    impatient, patient = Worker(table), Worker(table)
    impatient.asks(7)
    patient.asks(8)
    impatient.ends(7, Result.NOT_SHARED)
    holder.ends(1, Result.PASSED_ON)
    assert impatient.told == [(Telling.WAIT, 7)]
    assert patient.told[-1] == (Telling.GRANTED, 8)


def test_a_lease_ends_after_its_time_and_its_holder_has_no_say_any_more(table: LeaseTable, holder: Worker) -> None:
    waiting, late = Worker(table), Worker(table)
    waiting.asks(7, now=LIMIT - 1)
    late.asks(8, now=LIMIT)
    assert waiting.told == [(Telling.WAIT, 7), (Telling.NOT_SHARED, 7)]
    assert late.told == [(Telling.GRANTED, 8)]
    holder.ends(1, Result.STORED, now=LIMIT)
    assert len(table) == 1


def test_leases_that_nobody_ends_do_not_pile_up(table: LeaseTable) -> None:
    hanging = Worker(table)
    for number in range(1000):
        hanging.asks(number, number.to_bytes(16), now=number)
    assert len(table) == LIMIT


def test_a_lease_asked_for_a_shorter_time_ends_before_older_ones(table: LeaseTable, holder: Worker) -> None:
    table.ask(holder, 2, OTHER_KEY, 1.0, now=0.0)
    other = Worker(table)
    other.asks(7, OTHER_KEY, now=1.0)
    assert other.told == [(Telling.GRANTED, 7)]
