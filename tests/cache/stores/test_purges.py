"""Purges that a process knows: what they leave of stored responses, and what is looked up again after them."""

from __future__ import annotations

import pytest

from cache.stores.memory import MemoryStore
from cache.stores.purge_scopes import ALL, Conditions, Scope, names_of, tag_name, url_name, where
from cache.stores.purges import MAX_CONDITIONS, REMEMBERED, KnownPurges
from tests.fixtures.stored_entries import KEY, new_entry, put

A, B = "http://a.example/", "http://b.example/"
TAGGED = new_entry(tags="news\nsport", revision=3)


def known(*purges: tuple[str, int]) -> KnownPurges:
    found = KnownPurges()
    found.learn(purges, max(number for _, number in purges))
    return found


def test_only_what_is_older_than_a_purge_is_covered() -> None:
    purges = known(("host:a.example", 3))
    assert [purges.covers(A, 2), purges.covers(A, 3), purges.covers(B, 2)] == [True, False, False]
    purges.learn([(ALL, 4)], 4)
    assert purges.covers(B, 3)


@pytest.mark.parametrize(
    "text", [ALL, "host:a.example", url_name(KEY), tag_name("sport"), where(Conditions(tags=("s*",))).text]
)
def test_a_response_is_judged_by_its_names_its_tags_and_conditions(text: str) -> None:
    assert known((text, 5)).judged(TAGGED, 4) is None
    assert known((text, 5)).judged(TAGGED, 5) is TAGGED
    marked = known((f"soft {text}", 5)).judged(TAGGED, 4)
    assert marked is not None
    assert (marked.soft_purged, marked.id) == (True, TAGGED.id)
    assert known(("host:b.example", 5), (tag_name("new"), 6)).judged(TAGGED, 4) is TAGGED


def test_a_hard_purge_outdoes_a_soft_one() -> None:
    assert known(("soft all", 5), ("tag:news", 4)).judged(TAGGED, 3) is None
    marked = known(("soft all", 5), ("tag:news", 4)).judged(TAGGED, 4)
    assert marked is not None


def test_a_mark_of_a_later_soft_purge_is_another_revision() -> None:
    purges = known(("soft tag:news", 5))
    first = purges.judged(TAGGED, 1)
    purges.learn([("soft all", 6)], 6)
    second = purges.judged(TAGGED, 1)
    assert first is not None
    assert second is not None
    assert TAGGED.revision < first.revision < second.revision


def test_memory_is_outdated_by_the_purges_that_may_cover_it() -> None:
    purges = known(("tag:news", 5), ("soft host:b.example", 6))
    assert not purges.is_outdated(names_of(A), 4)
    assert not purges.is_outdated(names_of(A), 4, "sport")
    assert purges.is_outdated(names_of(A), 4, "sport\nnews")
    assert not purges.is_outdated(names_of(A), 5, "sport\nnews")
    assert purges.is_outdated(names_of(B), 5)
    purges.learn([(where(Conditions(targets=("/x",))).text, 7)], 7)
    assert purges.is_outdated(names_of(A), 6)
    assert not purges.is_outdated(names_of(A), 7)


def test_a_fetch_from_before_a_purge_by_tag_may_bring_anything() -> None:
    purges = known((url_name(A), 5))
    assert [purges.may_concern(A, 4), purges.may_concern(B, 4), purges.may_concern(A, 5)] == [True, False, False]
    purges.learn([(tag_name("news"), 6)], 6)
    assert purges.may_concern(B, 5)


def test_memory_from_before_the_remembered_purges_is_outdated() -> None:
    purges = KnownPurges()
    purges.learn([], REMEMBERED + 2)
    assert purges.is_outdated(names_of(A), 1)
    assert not purges.is_outdated(names_of(A), 2)


def test_memory_from_before_the_remembered_conditions_is_outdated() -> None:
    other = where(Conditions(urls=("http://c.example/*",))).text
    purges = known(*((other, number) for number in range(1, MAX_CONDITIONS + 2)))
    purges.learn([], MAX_CONDITIONS + 2)
    assert purges.is_outdated(names_of(A), 0)


def test_names_that_do_not_matter_any_more_are_forgotten() -> None:
    purges = known(*((tag_name(str(number)), number) for number in range(1, 2 * REMEMBERED + 2)))
    assert purges.knows_too_many
    purges.forget_old(2 * REMEMBERED + 1, [(tag_name("news"), 9000)])
    assert not purges.knows_too_many
    assert purges.judged(TAGGED, 1) is None


def test_rows_are_compared_with_conditions_until_these_are_carried_out() -> None:
    purges, pattern = KnownPurges(), where(Conditions(urls=(f"{KEY}*",))).text
    purges.learn([(pattern, 5)], 5)
    assert purges.judged_row(TAGGED, 4) is None
    assert [purges.covers(KEY, 4), purges.may_concern_row(KEY, 4)] == [True, True]
    purges.learn([(pattern, 6)], 6, carried_out=[5, 6])
    assert [purges.covers(KEY, 4), purges.may_concern_row(KEY, 4)] == [False, False]
    assert purges.judged_row(TAGGED, 4) == TAGGED
    assert purges.judged(TAGGED, 5) is None  # it was asked for before, and is stored now
    assert purges.is_outdated(names_of(KEY), 5)


def test_what_several_threads_have_read_at_once_is_learnt_once_and_in_order() -> None:
    purges, [five, six] = KnownPurges(), [(where(Conditions(targets=(f"/{name}",))).text) for name in "ab"]
    purges.learn([(five, 5), (six, 6)], 6)
    purges.learn([(five, 5)], 5)  # read before the other, and late
    assert purges.is_outdated(names_of(A), 5)
    assert purges.number() == 6


def test_a_purge_that_is_learnt_while_names_are_forgotten_is_not_lost() -> None:
    purges = known((tag_name("news"), 5), ("host:a.example", 6), ("soft host:b.example", 7))
    purges.learn([("host:c.example", REMEMBERED + 7)], REMEMBERED + 7)
    purges.forget_old(5, [(tag_name("news"), 5)])  # read before the other three
    assert purges.covers(A, 5)
    assert purges.may_concern_row(B, 6)


def test_a_purge_that_is_not_carried_out_is_not_forgotten() -> None:
    last = REMEMBERED + 7
    purges = known(("host:a.example", 6), ("soft host:b.example", 7), ("host:c.example", last))
    purges.forget_old(last, [("host:a.example", 6)])
    assert [purges.covers(A, 5), purges.may_concern_row(B, 6)] == [True, False]


def test_a_response_that_was_asked_for_before_the_remembered_purges_counts_as_purged() -> None:
    purges = KnownPurges()
    purges.learn([("host:b.example", REMEMBERED + 2)], REMEMBERED + 2)
    assert purges.judged(TAGGED, 1) is None
    assert purges.judged(TAGGED, 2) is TAGGED


def test_a_store_in_memory_remembers_only_so_many_purges() -> None:
    store = MemoryStore(1 << 20)
    kept = put(store, new_entry())
    for number in range(3 * REMEMBERED):
        store.purge([Scope(url_name(f"{B}{number}"))])
    store.purge([where(Conditions(urls=(f"{B}*",)))])
    purges = store.generations.purges
    assert REMEMBERED <= len(purges.tables[2]) <= 2 * REMEMBERED
    assert not purges.pending_conditions
    assert store.candidates(KEY) == (kept,)


def test_a_purge_of_a_url_in_memory_is_not_compared_with_every_key(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore(1 << 20)
    put(store, new_entry())
    monkeypatch.setattr(Scope, "may_cover", lambda *_: pytest.fail("compared with a key"))
    assert store.purge([Scope(url_name(f"{B}1"))]).copies == 0
