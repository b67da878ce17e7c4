"""Recent values: the last ones are there, and no more than twice as many."""

from __future__ import annotations

from addon.pipeline.recent_values import RecentValues


def test_the_last_values_are_kept_and_at_most_twice_as_many() -> None:
    values = RecentValues[int, str](10)
    for number in range(100):
        values[number] = str(number)
        kept = [each for each in range(100) if values.get(each) is not None]
        assert kept[-10:] == list(range(max(0, number - 9), number + 1))
        assert len(kept) <= 20


def test_a_later_value_is_in_place_of_an_earlier_one() -> None:
    values = RecentValues[str, int](1)
    for number in (1, 2, 3):
        values["a"] = number
        values["b"] = 0
        assert values.get("a") == number


def test_a_value_that_was_dropped_does_not_come_back() -> None:
    values = RecentValues[str, int](1)
    values["a"], values["b"], values["a"] = 1, 2, 3
    values.drop("a")
    values.drop("missing")
    assert (values.get("a"), values.get("b")) == (None, 2)


def test_values_are_dropped_by_their_keys() -> None:
    values = RecentValues[str, int](2)
    for key in ("a1", "b1", "a2"):
        values[key] = 1
    values.drop_where(lambda key: key.startswith("a"))
    assert [values.get(key) for key in ("a1", "b1", "a2")] == [None, 1, None]
