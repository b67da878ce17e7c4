"""Removals that are made again when the engine is back."""

from __future__ import annotations

import pytest

from cache.stores.redis.keys import KeyNames
from cache.stores.redis.lost_changes import REPEATED, LostChanges
from tests.lanes.manual_clock import ManualClock

A, B = "http://a.example/", "http://b.example/"
NAMES = KeyNames("x")


def everywhere(_name: str) -> bool:
    return True


def test_a_lost_removal_is_repeated_until_the_engine_knows_it() -> None:
    lost = LostChanges(NAMES)
    lost.note_wanted(A)
    assert lost.keys(everywhere, is_new=False) == {A: 1}
    assert lost.commands([A])[0] == ("UNLINK", NAMES.row(A))
    lost.forget({A: 1})
    assert lost.keys(everywhere, is_new=True) == {}


def test_a_recent_removal_is_repeated_after_a_new_connection_only() -> None:
    clock = ManualClock()
    lost = LostChanges(NAMES, clock)
    lost.note_made(A)
    clock.advance(REPEATED - 1)
    lost.note_made(B)
    assert lost.keys(everywhere, is_new=False) == {}
    assert lost.keys(everywhere, is_new=True) == {A: 0, B: 0}
    clock.advance(2)
    assert lost.keys(everywhere, is_new=True) == {B: 0}


def test_a_server_gets_only_what_it_holds() -> None:
    lost = LostChanges(NAMES)
    lost.note_wanted(A)
    lost.note_wanted(B)
    assert lost.keys(lambda name: name == NAMES.row(B), is_new=False) == {B: 1}


def test_too_many_become_a_purge_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache.stores.redis.lost_changes.MAX_KEYS", 1)
    lost = LostChanges(NAMES)
    lost.note_wanted(A)
    lost.note_wanted(A)
    assert lost.scopes() == []
    lost.note_wanted(B)
    [scope] = lost.scopes()
    assert scope.name == "all"
    lost.forget({}, [scope])
    assert lost.scopes() == []


def test_a_removal_that_is_wanted_while_another_one_is_made_is_still_to_be_made() -> None:
    lost = LostChanges(NAMES)
    lost.note_wanted(A)
    made = lost.keys(everywhere, is_new=False)
    lost.note_wanted(A)
    lost.forget(made)
    assert lost.keys(everywhere, is_new=False) == {A: 1}
    lost.note_made(A)
    assert lost.keys(everywhere, is_new=False) == {}


def test_what_only_memory_has_is_named_once_to_the_server_that_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = LostChanges(NAMES)
    lost.note_kept(A)
    lost.note_kept(B)
    assert lost.take_kept(lambda name: name == NAMES.row(B)) == [B]
    assert lost.take_kept(everywhere) == [A]
    assert lost.take_kept(everywhere) == []
    monkeypatch.setattr("cache.stores.redis.lost_changes.MAX_KEYS", 1)
    lost.note_kept(A)
    lost.note_kept(B)
    assert lost.take_kept(everywhere) is None
    assert lost.take_kept(everywhere) == []
