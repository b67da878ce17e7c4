"""A budget: so many events at once, and so many a second."""

from __future__ import annotations

from addon.origin.http2.budget import Budget


def test_a_budget_allows_a_burst_and_then_a_rate() -> None:
    budget = Budget(3, per_second=2)
    assert [budget.spend(10.0) for _ in range(4)] == [True, True, True, False]
    assert [budget.spend(11.0) for _ in range(2)] == [True, False]


def test_a_budget_never_grows_above_its_size() -> None:
    budget = Budget(2, per_second=100)
    budget.spend(0.0)
    assert [budget.spend(1000.0) for _ in range(3)] == [True, True, False]
