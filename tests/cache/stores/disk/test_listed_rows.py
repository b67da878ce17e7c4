"""Lists of what is on disk: nothing is read that is not listed, and the order of last uses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cache.stores.disk.store import DiskStore
from cache.stores.listing import Listing, Order, Selection
from tests.fixtures.disk_store import OpenStore, change, database
from tests.fixtures.stored_entries import new_entry, put

KEYS = [f"http://{host}.example/" for host in "abc"]

NO_TEXT = "\udcff"
"""A byte that is not UTF-8, as the command line gives it."""


def keys(listing: Listing) -> list[str]:
    return [entry.key for found in listing.found for entry in found.entries]


@pytest.fixture
def store(open_store: OpenStore) -> DiskStore:
    """Return a store with three responses; the first of them is the smallest."""
    store = open_store()
    for number, key in enumerate(KEYS, 1):
        put(store, new_entry(key, tags="news" if number == 1 else ""), 100_000 * number)
    return store


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize(
    "wanted",
    [
        Selection(pattern="A.example"),
        Selection(pattern="*//a.*"),
        Selection(host="A.example"),
        Selection(host="a.*"),
        Selection(tag="news"),
    ],
    ids=["part", "pattern", "host", "hosts", "tag"],
)
def test_only_what_fits_is_read(store: DiskStore, order: Order, wanted: Selection) -> None:
    assert keys(store.listing(replace(wanted, order=order))) == [KEYS[0]]


@pytest.mark.parametrize("order", list(Order))
def test_a_response_is_unused_until_it_is_used(store: DiskStore, order: Order) -> None:
    used, *unused = KEYS
    store.touch(store.candidates(used)[0].id)
    assert sorted(keys(store.listing(Selection(order, never_used=True)))) == unused


def test_the_longest_unused_comes_first(store: DiskStore) -> None:
    assert keys(store.listing(Selection(Order.USED))) == KEYS
    store.touch(store.candidates(KEYS[0])[0].id)
    assert keys(store.listing(Selection(Order.USED))) == [*KEYS[1:], KEYS[0]]


def test_the_indexes_of_a_table_of_an_earlier_version_are_replaced(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    put(store, new_entry(KEYS[0]))
    store.close()
    with database(directory) as connection:
        connection.execute("DROP INDEX Head_made")
        connection.execute("DROP INDEX Body_access_time")
        connection.execute("CREATE INDEX Body_access_time ON Cache(access_time) WHERE tag IS NOT NULL")
    store = open_store()
    for order in Order:
        assert keys(store.listing(Selection(order))) == KEYS[:1]


@pytest.mark.parametrize("order", list(Order))
def test_a_damaged_row_ends_no_list_without_end(store: DiskStore, directory: Path, order: Order) -> None:
    damaged = store.candidates(KEYS[1])[0]
    change(directory, f"b:{damaged.id}", "access_time = 'x', size = 'y'")
    change(directory, f"u:{KEYS[1]}", "access_time = 'x', key = CAST(? AS TEXT)", b"u:http://b\xff")
    assert [key for key in keys(store.listing(Selection(order))) if key != KEYS[1]] in (
        [KEYS[0], KEYS[2]],
        [KEYS[2], KEYS[0]],
    )


def test_a_place_behind_the_last_one_has_nothing(store: DiskStore) -> None:
    *_, last = store.listing(Selection(Order.SIZE)).found
    assert keys(store.listing(Selection(Order.SIZE, last.place))) == []


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize(
    "wanted",
    [Selection(pattern=NO_TEXT), Selection(host=NO_TEXT), Selection(tag=NO_TEXT)],
    ids=["pattern", "host", "tag"],
)
def test_what_is_no_text_ends_no_list(store: DiskStore, order: Order, wanted: Selection) -> None:
    """The shell may give a command bytes that are not UTF-8. The reader compares them; the store does not have to."""
    assert sorted(keys(store.listing(replace(wanted, order=order)))) == KEYS
