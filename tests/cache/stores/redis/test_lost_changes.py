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
    lost.note_lost(A)
    assert lost.keys(everywhere, is_new=False) == [A]
    assert lost.commands([A])[0] == ("UNLINK", NAMES.row(A))
    lost.forget([A], ())
    assert lost.keys(everywhere, is_new=True) == []


def test_a_recent_removal_is_repeated_after_a_new_connection_only() -> None:
    clock = ManualClock()
    lost = LostChanges(NAMES, clock)
    lost.note_made(A)
    clock.advance(REPEATED - 1)
    lost.note_made(B)
    assert lost.keys(everywhere, is_new=False) == []
    assert lost.keys(everywhere, is_new=True) == [A, B]
    clock.advance(2)
    assert lost.keys(everywhere, is_new=True) == [B]


def test_a_server_gets_only_what_it_holds() -> None:
    lost = LostChanges(NAMES)
    lost.note_lost(A)
    lost.note_lost(B)
    assert lost.keys(lambda name: name == NAMES.row(B), is_new=False) == [B]


def test_too_many_become_a_purge_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cache.stores.redis.lost_changes.MAX_KEYS", 1)
    lost = LostChanges(NAMES)
    lost.note_lost(A)
    lost.note_lost(A)
    assert lost.scopes() == []
    lost.note_lost(B)
    [scope] = lost.scopes()
    assert scope.name == "all"
    lost.forget((), [scope])
    assert lost.scopes() == []
