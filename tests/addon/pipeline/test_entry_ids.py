"""Names of stored responses: in order, and not to be guessed."""

from __future__ import annotations

from itertools import islice

from addon.pipeline.entry_ids import entry_ids


def test_names_are_in_order_and_of_one_process() -> None:
    names = list(islice(entry_ids(), 300))
    assert names == sorted(names)
    assert {len(name) for name in names} == {32}
    assert len({name[:8] for name in names}) == 1


def test_no_name_tells_the_next() -> None:
    names = list(islice(entry_ids(), 300))
    assert len({name[16:] for name in names}) == 300
