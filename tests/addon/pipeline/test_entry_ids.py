"""Ids of stored responses: ascending, and impossible to guess."""

from __future__ import annotations

from itertools import islice

from addon.pipeline.entry_ids import entry_ids


def test_ids_are_ascending_and_have_a_common_prefix() -> None:
    ids = list(islice(entry_ids(), 300))
    assert ids == sorted(ids)
    assert {len(entry_id) for entry_id in ids} == {32}
    assert len({entry_id[:8] for entry_id in ids}) == 1


def test_the_next_id_cannot_be_guessed() -> None:
    ids = list(islice(entry_ids(), 300))
    assert len({entry_id[16:] for entry_id in ids}) == 300
