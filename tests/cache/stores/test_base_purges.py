"""Purges of every store: by name, by tag and by conditions, hard and soft."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cache.http.messages import Fields, Response
from cache.stores.base import Extent, Overtaken, ResponseStore
from cache.stores.purge_scopes import ALL, Conditions, Scope, host_name, tag_name, url_name, where
from tests.fixtures.every_store import MEBIBYTE, STORES
from tests.fixtures.stored_entries import new_entry, put

A, B = "http://a.example/", "http://b.example/"
IMAGE = Response(200, "OK", Fields((("Content-Type", "image/png"),)))


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ResponseStore]:
    """Return a store with five responses, of 100 bytes each."""
    make: Callable[[Path, int], ResponseStore] = STORES[request.param]
    with closing(make(tmp_path / "store", 64 * MEBIBYTE)) as opened:
        put(opened, new_entry(f"{A}1", tags="news\nfront"))
        put(opened, new_entry(f"{A}2", tags="news", head=IMAGE))
        put(opened, new_entry(f"{A}2", tags="sport"))  # a variant of the same URL with other tags
        put(opened, new_entry(f"{A}blog/3?x=1"))
        put(opened, new_entry(f"{B}1", tags="news-2"))
        yield opened


SCOPES: dict[str, tuple[Scope, list[str]]] = {
    "all": (Scope(ALL), []),
    "host": (Scope(host_name("a.example")), ["b/1"]),
    "url": (Scope(url_name(f"{A}2")), ["a/1", "a/blog/3?x=1", "b/1"]),
    "tag": (Scope(tag_name("news")), ["a/2", "a/blog/3?x=1", "b/1"]),
    "no such tag": (Scope(tag_name("new")), ["a/1", "a/2", "a/2", "a/blog/3?x=1", "b/1"]),
    "prefix": (where(Conditions(urls=(f"{A}b*",))), ["a/1", "a/2", "a/2", "b/1"]),
    "path": (where(Conditions(targets=("/1",))), ["a/2", "a/2", "a/blog/3?x=1"]),
    "media type": (where(Conditions(types=("image/*",))), ["a/1", "a/2", "a/blog/3?x=1", "b/1"]),
    "tag pattern": (where(Conditions(tags=("news*",), hosts=("b.example",))), ["a/1", "a/2", "a/2", "a/blog/3?x=1"]),
}
each_scope = pytest.mark.parametrize(("scope", "left"), SCOPES.values(), ids=SCOPES)


def names(store: ResponseStore, *, soft: bool = False) -> list[str]:
    """Return the responses in a store, all or only those that a soft purge has marked."""
    entries = [entry for entry in store.entries() if entry.soft_purged or not soft]
    return [entry.key.removeprefix("http://").replace(".example", "", 1) for entry in entries]


@each_scope
def test_a_purge_deletes_what_its_scope_covers_and_says_how_much(
    store: ResponseStore, scope: Scope, left: list[str]
) -> None:
    covered = 5 - len(left)
    assert store.measure([scope]) == Extent(covered, 100 * covered)
    assert names(store)[4:] == ["b/1"]
    assert store.purge([scope]).copies == covered
    assert names(store) == left
    assert store.measure([scope]).copies == 0
    assert store.purge([scope]).copies == 0


@each_scope
def test_a_soft_purge_marks_what_its_scope_covers(store: ResponseStore, scope: Scope, left: list[str]) -> None:
    softly = type(scope)(scope.name, True, *([scope.conditions] if hasattr(scope, "conditions") else []))
    before = sorted(names(store))
    assert store.purge([softly]).copies == 5 - len(left)
    assert sorted(names(store)) == before
    assert len(names(store, soft=True)) == 5 - len(left)
    assert not {*left} & {*names(store, soft=True)} - {"a/2"}


def test_several_scopes_are_one_purge(store: ResponseStore) -> None:
    tags = [Scope(tag_name(tag)) for tag in ("news", "front", "sport")]
    assert store.purge(tags).copies == 3  # one of them has two of the tags
    assert names(store) == ["a/blog/3?x=1", "b/1"]


def test_a_validated_response_is_not_soft_purged_any_more_but_an_earlier_validation_does_not_count(
    store: ResponseStore,
) -> None:
    [entry] = store.candidates(f"{B}1")
    early = replace(entry, revision=entry.revision + 1)
    store.purge([Scope(ALL, soft=True)])
    assert not store.update(early)
    [marked] = store.candidates(f"{B}1")
    between = replace(marked, soft_purged=False, revision=marked.revision + 1)
    store.purge([Scope(host_name("b.example"), soft=True)])
    assert not store.update(between)
    [marked] = store.candidates(f"{B}1")
    assert store.update(replace(marked, soft_purged=False, revision=marked.revision + 1))
    assert [each.soft_purged for each in store.candidates(f"{B}1")] == [False]
    assert len(names(store, soft=True)) == 4


def test_the_tags_of_an_updated_response_are_those_of_the_update(store: ResponseStore) -> None:
    [entry] = store.candidates(f"{B}1")
    assert store.update(replace(entry, tags="late", revision=entry.revision + 1))
    assert store.purge([Scope(tag_name("news-2"))]).copies == 0
    assert store.purge([Scope(tag_name("late"))]).copies == 1
    assert store.candidates(f"{B}1") == ()


def test_what_was_asked_for_before_a_purge_is_refused_or_marked(store: ResponseStore) -> None:
    before = store.generations.last_purge()
    store.purge([Scope(tag_name("news"))])
    with pytest.raises(Overtaken):
        put(store, new_entry(f"{A}9", tags="x\nnews", last_purge=before))
    put(store, new_entry(f"{A}9", tags="x", last_purge=before))
    store.purge([where(Conditions(targets=("/8",)), soft=True)])
    put(store, new_entry(f"{A}8", last_purge=before))
    assert [entry.soft_purged for entry in store.candidates(f"{A}8")] == [True]
    assert [entry.soft_purged for entry in store.candidates(f"{A}9")] == [False]


def test_a_stamp_ends_with_a_purge_of_the_tags_of_what_was_read(store: ResponseStore) -> None:
    store.commit()
    stamp, other = store.generations.stamp(f"{B}1"), store.generations.stamp(f"{B}1")
    [entry] = store.candidates(f"{B}1")
    stamp.tags = entry.tags
    store.purge([Scope(tag_name("sport"))])
    assert store.generations.is_current(stamp)
    store.purge([Scope(tag_name("news-2"), soft=True)])
    assert not store.generations.is_current(stamp)
    assert other.tags == ""
