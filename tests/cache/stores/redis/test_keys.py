"""The names in the engine: all of one primary key are on one server of a Cluster."""

from __future__ import annotations

from redis.crc import key_slot

from cache.stores.redis.keys import KeyNames, number_in, number_of, slot_of

KEY = "http://a.example/\xe9?\udc80"


def test_all_names_of_a_key_are_in_one_slot() -> None:
    names = KeyNames("x")
    of_key = [
        names.row(KEY),
        names.draft(KEY),
        names.removal(KEY),
        names.lease(KEY, b"\1"),
        names.wait(names.lease(KEY, b"\1")),
        *names.chunks(KEY, "0" * 32, 5),
    ]
    assert len(set(of_key)) == 10
    assert {slot_of(name) for name in of_key} == {slot_of(names.row(KEY))}


def test_slots_are_those_of_the_cluster() -> None:
    names = KeyNames("x")
    for name in (names.row(KEY), names.purges, names.lease(KEY, b"\1\2"), "plain", "a{b}c"):
        assert slot_of(name) == key_slot(name.encode()), name


def test_the_number_of_a_key_is_in_its_names() -> None:
    names = KeyNames("x")
    for name in (names.row(KEY), names.removal(KEY)):
        assert number_in(name.encode()) == number_of(KEY)


def test_of_chunks_and_drafts_no_node_is_told() -> None:
    names = KeyNames("x")
    assert not names.draft(KEY).startswith(names.watched)
    assert not names.chunks(KEY, "0" * 32, 1)[0].startswith(names.watched)
    assert names.row(KEY).startswith(names.watched)
    assert names.purges.startswith(names.watched)
