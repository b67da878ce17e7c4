"""The pause before a worker that has died is replaced."""

from __future__ import annotations

from addon.serve.workers.backoff import LIVED_LONG, LONGEST_PAUSE, Backoff


def test_workers_that_die_soon_are_replaced_ever_later() -> None:
    backoff = Backoff()
    assert [backoff.after(0.0) for _ in range(5)] == [0.0, 0.1, 0.2, 0.4, 0.8]
    assert [backoff.after(0.0) for _ in range(10)][-1] == LONGEST_PAUSE


def test_a_worker_that_had_lived_long_is_replaced_at_once() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(0.0)
    assert backoff.after(LIVED_LONG) == 0.0
    assert backoff.after(0.0) == 0.1
