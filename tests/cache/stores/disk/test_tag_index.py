"""The index of tags: it has a row for each tag of each body, and none of bodies that are gone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cache.stores.disk.tag_index import hash_of, hashes_of
from cache.stores.purge_scopes import Scope, tag_name
from tests.fixtures.disk_store import OpenStore, database
from tests.fixtures.stored_entries import KEY, new_entry, put


def hashes(directory: Path) -> list[int]:
    with database(directory) as connection:
        return sorted(found for (found,) in connection.execute("SELECT hash FROM Tag"))


def test_the_rows_come_and_go_with_the_bodies(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    small, large = put(store, new_entry(tags="a\nb")), put(store, new_entry(tags="b"), 100_000)
    assert hashes(directory) == sorted([*hashes_of("a\nb"), hash_of("b")])
    store.update(replace(large, tags="c", revision=1))
    assert hashes(directory) == sorted(hashes_of("a\nb\nc"))
    store.delete(KEY, [small.id])
    assert hashes(directory) == [hash_of("c")]
    store.purge([Scope(tag_name("c"))])
    store.delete_purged()
    assert hashes(directory) == []


def test_a_response_with_hundreds_of_tags_is_purged_by_each(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    tags = [f"product-{number}" for number in range(500)]
    put(store, new_entry(tags="\n".join(tags)))
    assert len(hashes(directory)) == 500
    assert store.purge([Scope(tag_name(tags[499]))]).copies == 1
    assert store.candidates(KEY) == ()
