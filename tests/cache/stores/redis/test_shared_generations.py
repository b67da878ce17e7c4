"""The generation table of a node that shares its store."""

from __future__ import annotations

from collections.abc import Iterable

from cache.stores.redis.shared_generations import SharedGenerations

KEY = "http://a.example/"


class Overtaken(SharedGenerations):
    """A table in which every change is followed at once by one of another node."""

    def end_change(self, slots: Iterable[int], begun: int | None = None) -> int:
        value = super().end_change(slots, begun)
        super().end_change(slots)
        return value


def test_the_value_of_an_own_change_is_that_of_its_slot() -> None:
    table = SharedGenerations()
    assert table.own_change(KEY) == table.stable_value(table.slot(KEY))


def test_an_own_change_does_not_hide_the_change_of_another_node_after_it() -> None:
    table = Overtaken()
    assert table.own_change(KEY) != table.stable_value(table.slot(KEY))
