"""Captures: states of a response kept over time, in each store and in the output of `show`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from addon.cli import app
from cache.stores.base import ResponseStore
from cache.stores.disk.store import DiskStore
from cache.stores.memory import MemoryStore
from cache.stores.tiered.store import TieredStore
from tests.fixtures.stored_entries import KEY, new_entry, put

VARY = (("accept", None),)


def on_disk(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store", 1 << 24, captures=3)


STORES: dict[str, Callable[[Path], ResponseStore]] = {
    "memory": lambda _: MemoryStore(1 << 24, captures=3),
    "disk": on_disk,
    "tiered": lambda tmp_path: TieredStore(on_disk(tmp_path), 1 << 24, 1 << 20),
    "tiered, nothing in memory": lambda tmp_path: TieredStore(on_disk(tmp_path), 0, 0),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ResponseStore]:
    with closing(STORES[request.param](tmp_path)) as store:
        yield store


def storage_times(store: ResponseStore) -> list[float]:
    return sorted(entry.stored_at for entry in store.candidates(KEY))


def test_the_configured_number_of_captures_is_kept_and_the_oldest_deleted(store: ResponseStore) -> None:
    for number in range(5):
        put(store, new_entry(vary=VARY, stored_at=float(number)))
    assert storage_times(store) == [2.0, 3.0, 4.0]


def test_captures_are_counted_per_variant_and_method(store: ResponseStore) -> None:
    for number in range(4):
        put(store, new_entry(vary=VARY, stored_at=float(number)))
        put(store, new_entry(vary=VARY, method="HEAD", stored_at=10.0 + number))
    assert storage_times(store) == [1.0, 2.0, 3.0, 11.0, 12.0, 13.0]


def test_equal_bodies_are_one_state_and_its_first_capture_is_kept(store: ResponseStore) -> None:
    for number in range(4):
        put(store, new_entry(vary=VARY, stored_at=float(number)), length=0)
    assert storage_times(store) == [0.0, 3.0]
    for number in range(4, 6):
        put(store, new_entry(vary=VARY, stored_at=float(number)))
    assert storage_times(store) == [0.0, 4.0, 5.0]
    put(store, new_entry(vary=VARY, stored_at=6.0), length=0)
    assert storage_times(store) == [4.0, 5.0, 6.0]


def test_the_captures_on_disk_equal_those_in_memory(tmp_path: Path) -> None:
    store = TieredStore(on_disk(tmp_path), 1 << 24, 1 << 20)
    for number, length in enumerate((0, 0, 10, 0, 0)):
        put(store, new_entry(vary=VARY, stored_at=float(number)), length=length)
    held = store.peek(KEY)
    assert held is not None
    store.close()
    disk = on_disk(tmp_path)
    assert disk.candidates(KEY) == held
    assert [entry.stored_at for entry in held] == [4.0, 3.0, 2.0, 0.0]
    disk.close()


def test_each_capture_changes_the_generation(store: ResponseStore) -> None:
    for number in range(5):
        stamp = store.generations.stamp(KEY)
        put(store, new_entry(vary=VARY, stored_at=float(number)))
        assert not store.generations.is_current(stamp)


def test_partial_responses_are_not_captures(store: ResponseStore) -> None:
    put(store, new_entry(vary=VARY, stored_at=1.0))
    for number in range(3):
        put(store, new_entry(vary=VARY, stored_at=2.0 + number, complete_length=1000))
    assert storage_times(store) == [1.0, 4.0]


def test_a_capture_is_deleted_if_it_is_named_in_replaces(store: ResponseStore) -> None:
    first = put(store, new_entry(vary=VARY, stored_at=1.0))
    put(store, new_entry(vary=VARY, stored_at=2.0), replaces=(first.id,))
    assert storage_times(store) == [2.0]


def test_show_lists_captures_latest_first(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "store", 1 << 24, captures=3)
    for number in range(2):
        put(store, new_entry(vary=VARY, stored_at=1_794_000_000.0 + number))
    store.close()
    command = ["show", "--all", KEY, "--store", str(tmp_path / "store")]
    lines = [line.split("\t") for line in CliRunner().invoke(app, command).stdout.splitlines()]
    assert [line[:4] for line in lines[1:]] == [
        ["Fri, 06 Nov 2026 21:20:01 GMT", "current", "GET", "200"],
        ["Fri, 06 Nov 2026 21:20:00 GMT", "past", "GET", "200"],
    ]
    listed = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert [(each["memento_datetime"], each["current"]) for each in listed] == [
        ("Fri, 06 Nov 2026 21:20:01 GMT", True),
        ("Fri, 06 Nov 2026 21:20:00 GMT", False),
    ]
    without = CliRunner().invoke(app, [command[0], *command[2:]]).stdout
    assert "variant" not in without
