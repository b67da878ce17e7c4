"""The contract of all stores: each test runs on every store."""

from __future__ import annotations

import hashlib
import random
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from cache.http.messages import Fields, Response
from cache.rules.coded_forms import new_form, with_forms
from cache.rules.variant_limit import MAX_VARIANTS
from cache.stores.base import DamagedEntry, ResponseStore, StoreError
from tests.fixtures.every_store import MEBIBYTE, OpenStore
from tests.fixtures.stored_entries import KEY, body_of, is_intact, new_entry, put, read


@pytest.mark.parametrize("length", [0, 1, 1000, 65_535, 65_536, 65_537, 300_000, 3_000_000])
def test_a_stored_entry_is_found_with_its_body(store: ResponseStore, length: int) -> None:
    entry = new_entry()
    stored = put(store, entry, length)
    body = body_of(entry.id, length)
    assert stored == replace(entry, length=length, sha256=hashlib.sha256(body).hexdigest())
    assert store.candidates(KEY) == (stored,)
    assert read(store, stored) == body


def test_an_unknown_key_has_no_candidates(store: ResponseStore) -> None:
    put(store, new_entry())
    assert store.candidates(KEY + "other") == ()
    assert store.candidates("") == ()


@pytest.mark.parametrize("length", [1000, 300_000])
def test_a_part_of_a_body_can_be_read_but_nothing_beyond_its_end(store: ResponseStore, length: int) -> None:
    stored = put(store, new_entry(), length)
    body = store.open(stored)
    assert body.read(5, 25) == body_of(stored.id, length)[5:25]
    assert body.read(7, 7) == b""
    assert body.read(length - 1, length) == body_of(stored.id, length)[-1:]
    with pytest.raises(DamagedEntry):
        body.read(length - 1, length + 1)
    body.close()


def test_an_entry_is_not_visible_before_commit(store: ResponseStore) -> None:
    entry = new_entry()
    writer = store.writer()
    writer.write(body_of(entry.id, 200_000))
    assert store.candidates(KEY) == ()
    assert list(store.entries()) == []
    writer.commit(entry)
    assert len(store.candidates(KEY)) == 1


@pytest.mark.parametrize("length", [0, 100, 300_000])
def test_an_aborted_body_leaves_nothing(store: ResponseStore, length: int) -> None:
    before = store.statistics()
    writer = store.writer()
    writer.write(b"x" * length)
    writer.abort()
    writer.abort()
    assert store.statistics() == before
    with pytest.raises(StoreError):
        writer.write(b"more")
    with pytest.raises(StoreError):
        writer.commit(new_entry())
    assert list(store.entries()) == []


@pytest.mark.parametrize("length", [100, 300_000])
def test_after_a_commit_an_abort_is_harmless_and_a_second_commit_refused(store: ResponseStore, length: int) -> None:
    entry = new_entry()
    writer = store.writer()
    writer.write(body_of(entry.id, length))
    stored = writer.commit(entry)
    writer.abort()
    with pytest.raises(StoreError):
        writer.commit(new_entry())
    assert store.candidates(KEY) == (stored,)
    assert is_intact(store, stored)


def test_entries_of_one_origin_are_invalidated_by_a_predicate(store: ResponseStore) -> None:
    here, there = put(store, new_entry("http://a.example/x")), put(store, new_entry("http://a.example/y"))
    put(store, new_entry("http://a.example:81/x"))
    assert store.invalidate_where("http://a.example/", lambda entry: entry.id == here.id) == 1
    assert [entry.key for entry in store.entries() if entry.invalid] == [here.key]
    assert store.candidates(there.key) == (there,)
    assert store.invalidate_where("http://a.example/", lambda _: True) == 2


def test_a_partial_response_supersedes_only_parts_within_its_range(store: ResponseStore) -> None:
    vary = (("accept", None),)
    whole = put(store, new_entry(vary=vary))
    first = put(store, new_entry(vary=vary, first=0, complete_length=500))
    second = put(store, new_entry(vary=vary, first=200, complete_length=500))
    assert store.candidates(KEY) == (second, first, whole)
    wider = put(store, new_entry(vary=vary, first=150, complete_length=500), length=200)
    assert store.candidates(KEY) == (wider, first, whole)
    assert store.candidates(KEY) == (wider, first, whole)
    newest = put(store, new_entry(vary=vary))
    assert store.candidates(KEY) == (newest,)


def test_an_entry_with_the_same_vary_values_is_superseded(store: ResponseStore) -> None:
    vary = (("accept", "text/html"),)
    first, other = put(store, new_entry(vary=vary)), put(store, new_entry(vary=(("accept", None),)))
    second = put(store, new_entry(vary=vary))
    assert store.candidates(KEY) == (second, other)
    assert first not in store.candidates(KEY)


def test_coded_forms_end_with_the_response_that_is_superseded(store: ResponseStore) -> None:
    vary = (("accept", "text/html"),)
    first, other = put(store, new_entry(vary=vary)), put(store, new_entry())
    for entry in (first, other):
        put(store, new_form(entry, "gzip", secrets.token_hex(16)))
    form = put(store, new_form(other, "br", secrets.token_hex(16)))
    again = put(store, new_form(other, "br", secrets.token_hex(16)))
    assert len(store.candidates(KEY)) == 5
    assert form not in store.candidates(KEY)
    second = put(store, new_entry(vary=vary))
    assert [each.id for each in with_forms(store.candidates(KEY))] == [second.id, other.id]
    assert len(store.candidates(KEY)) == 4
    assert again in store.candidates(KEY)


def test_the_most_recently_stored_comes_first(store: ResponseStore) -> None:
    stored = [put(store, new_entry()) for _ in range(5)]
    store.touch(stored[0].id)
    assert store.candidates(KEY) == tuple(reversed(stored))


@pytest.mark.parametrize("length", [100, 300_000])
def test_a_new_entry_takes_the_place_of_those_it_replaces(store: ResponseStore, length: int) -> None:
    first, second, third = (put(store, new_entry(), length) for _ in range(3))
    elsewhere = put(store, new_entry(KEY + "elsewhere"), length)
    fourth = put(store, new_entry(), length, replaces=(first.id, third.id, "0" * 32, elsewhere.id))
    assert store.candidates(KEY) == (fourth, second)
    assert store.candidates(elsewhere.key) == (elsewhere,)
    assert store.statistics().entries == 3
    with pytest.raises(DamagedEntry):
        store.open(first)
    assert all(is_intact(store, entry) for entry in (second, fourth, elsewhere))


def test_beyond_the_limit_the_least_recently_used_variant_is_deleted(store: ResponseStore) -> None:
    stored = [put(store, new_entry()) for _ in range(MAX_VARIANTS)]
    store.touch(stored[0].id)
    newest = put(store, new_entry())
    kept = store.candidates(KEY)
    assert len(kept) == MAX_VARIANTS
    assert kept[0] == newest
    assert stored[0] in kept
    assert stored[1] not in kept
    for _ in range(2 * MAX_VARIANTS):
        put(store, new_entry())
    assert len(store.candidates(KEY)) == store.statistics().entries == MAX_VARIANTS


def test_an_update_rewrites_the_head_and_leaves_the_body(store: ResponseStore) -> None:
    other, stored, another = (put(store, new_entry(), 300_000) for _ in range(3))
    head = Response(200, "OK", Fields((("ETag", '"2"'),)))
    updated = replace(stored, head=head, response_time=2000.0, revision=1)
    assert store.update(replace(updated, length=7, sha256="f" * 64))
    assert store.candidates(KEY) == (another, updated, other)
    assert is_intact(store, updated)


def test_an_update_from_another_revision_changes_nothing(store: ResponseStore) -> None:
    stored = put(store, new_entry())
    assert store.update(replace(stored, request_time=2.0, revision=1))
    current = store.candidates(KEY)
    for revision in (0, 1, 3):
        assert not store.update(replace(stored, request_time=3.0, revision=revision))
    assert store.candidates(KEY) == current


def test_an_update_of_a_deleted_entry_changes_nothing(store: ResponseStore) -> None:
    stored = put(store, new_entry())
    assert not store.update(replace(stored, key=KEY + "other", revision=1))
    store.delete(KEY)
    assert not store.update(replace(stored, revision=1))
    assert list(store.entries()) == []


def test_invalidation_marks_all_variants_and_a_late_304_cannot_undo_it(store: ResponseStore) -> None:
    first, second = put(store, new_entry()), put(store, new_entry())
    elsewhere = put(store, new_entry(KEY + "elsewhere"))
    assert store.invalidate(KEY) == 2
    assert [entry.invalid for entry in store.candidates(KEY)] == [True, True]
    assert store.candidates(elsewhere.key) == (elsewhere,)
    assert not store.update(replace(first, revision=1))
    assert store.update(replace(second, revision=2))
    assert [entry.invalid for entry in store.candidates(KEY)] == [False, True]
    assert store.invalidate(KEY + "unknown") == 0


MALFORMED = {
    "a field value that splits the response": {"head": Response(200, "OK", Fields((("A", "b\r\nC: d"),)))},
    "a field value with NUL": {"head": Response(200, "OK", Fields((("A", "b\0"),)))},
    "a field value beyond Latin-1": {"head": Response(200, "OK", Fields((("A", "\u20ac"),)))},
    "a field value with a surrogate": {"head": Response(200, "OK", Fields((("A", "\udc80"),)))},
    "a field name that is not a token": {"head": Response(200, "OK", Fields((("A B", "c"),)))},
    "an empty field name": {"head": Response(200, "OK", Fields((("", "c"),)))},
    "a reason that splits the response": {"head": Response(200, "OK\nA: b", Fields())},
    "an interim status": {"head": Response(103, "Early Hints", Fields())},
    "a status of four digits": {"head": Response(2000, "OK", Fields())},
    "an id that is not hexadecimal": {"id": "../../../../etc/passwd"},
    "a time that is not a number": {"response_time": float("nan")},
    "an infinite time": {"stored_at": float("inf")},
    "a key with a surrogate": {"key": "http://a.example/\udc80"},
    "an empty key": {"key": ""},
    "a negative revision": {"revision": -1},
    "a revision beyond all integers": {"revision": 1 << 70},
}


@pytest.mark.parametrize("changes", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_entry_is_not_stored(store: ResponseStore, changes: dict[str, object]) -> None:
    stored = put(store, new_entry())
    for length in (100, 100_000):
        with pytest.raises(StoreError):
            put(store, new_entry(**changes), length, replaces=(stored.id,))
    assert list(store.entries()) == [stored]


def test_an_update_with_a_malformed_head_changes_nothing(store: ResponseStore) -> None:
    stored = put(store, new_entry())
    with pytest.raises(StoreError):
        store.update(replace(stored, head=Response(200, "OK", Fields((("A", "b\r\nC: d"),))), revision=1))
    assert store.candidates(KEY) == (stored,)


@pytest.mark.parametrize("key", [KEY, KEY + "other"])
def test_an_id_is_never_stored_twice(store: ResponseStore, key: str) -> None:
    stored = put(store, new_entry(), 100_000)
    with pytest.raises(StoreError):
        put(store, new_entry(key, id=stored.id), 200_000)
    assert list(store.entries()) == [stored]
    assert is_intact(store, stored)


def test_several_threads_can_use_one_store(store: ResponseStore) -> None:
    keys = [f"http://{number}.example/" for number in range(4)]

    def work(seed: int) -> int:
        chance = random.Random(seed)
        served = 0
        for _ in range(60):
            key = chance.choice(keys)
            match chance.randrange(5):
                case 0 | 1:
                    put(store, new_entry(key), chance.choice([0, 500, 60_000, 70_000, 200_000]))
                case 2:
                    for entry in store.candidates(key):
                        with suppress(DamagedEntry):
                            assert is_intact(store, entry)
                            served += 1
                            store.touch(entry.id)
                case 3:
                    for entry in store.candidates(key)[:1]:
                        store.update(replace(entry, request_time=float(seed), revision=entry.revision + 1))
                case 4:
                    store.delete(key, [entry.id for entry in store.candidates(key)[2:]])
        return served

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) > 0
    entries = list(store.entries())
    assert len(entries) == store.statistics().entries
    assert all(is_intact(store, entry) for entry in entries)


def test_the_free_space_is_what_the_statistics_say(open_store_with_limit: OpenStore) -> None:
    store = open_store_with_limit(64 * MEBIBYTE)
    put(store, new_entry(), 300_000)
    statistics = store.statistics()
    assert store.free_space() == (statistics.max_size or 0) - statistics.size > 0
