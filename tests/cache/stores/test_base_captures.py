"""States of one response kept over time, in each store; and as the command line lists them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
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
    store = STORES[request.param](tmp_path)
    yield store
    store.close()


def moments(store: ResponseStore) -> list[float]:
    return sorted(entry.stored_at for entry in store.candidates(KEY))


def test_so_many_states_are_kept_and_the_oldest_go_first(store: ResponseStore) -> None:
    for number in range(5):
        put(store, new_entry(vary=VARY, stored_at=float(number)))
    assert moments(store) == [2.0, 3.0, 4.0]


def test_states_of_other_requests_and_methods_count_for_themselves(store: ResponseStore) -> None:
    for number in range(4):
        put(store, new_entry(vary=VARY, stored_at=float(number)))
        put(store, new_entry(vary=VARY, method="HEAD", stored_at=10.0 + number))
    assert moments(store) == [1.0, 2.0, 3.0, 11.0, 12.0, 13.0]


def test_the_same_octets_are_one_state_of_which_the_first_tells_since_when(store: ResponseStore) -> None:
    for number in range(4):
        put(store, new_entry(vary=VARY, stored_at=float(number)), length=0)
    assert moments(store) == [0.0, 3.0]
    for number in range(4, 6):
        put(store, new_entry(vary=VARY, stored_at=float(number)))
    assert moments(store) == [0.0, 4.0, 5.0]
    put(store, new_entry(vary=VARY, stored_at=6.0), length=0)
    assert moments(store) == [4.0, 5.0, 6.0]


def test_what_is_stored_on_disk_is_what_was_in_memory(tmp_path: Path) -> None:
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


def test_every_new_state_is_another_generation(store: ResponseStore) -> None:
    slot = store.generations.slot(KEY)
    seen = {store.generations.current(slot)}
    for number in range(5):
        put(store, new_entry(vary=VARY, stored_at=float(number)))
        seen.add(store.generations.current(slot))
    assert len(seen) == 6


def test_a_part_is_no_state(store: ResponseStore) -> None:
    put(store, new_entry(vary=VARY, stored_at=1.0))
    for number in range(3):
        put(store, new_entry(vary=VARY, stored_at=2.0 + number, complete_length=1000))
    assert moments(store) == [1.0, 4.0]


def test_what_is_named_to_be_replaced_goes_all_the_same(store: ResponseStore) -> None:
    first = put(store, new_entry(vary=VARY, stored_at=1.0))
    put(store, new_entry(vary=VARY, stored_at=2.0), replaces=(first.id,))
    assert moments(store) == [2.0]


def test_show_lists_them_the_latest_first(tmp_path: Path) -> None:
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
    said = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert [(each["memento_datetime"], each["current"]) for each in said] == [
        ("Fri, 06 Nov 2026 21:20:01 GMT", True),
        ("Fri, 06 Nov 2026 21:20:00 GMT", False),
    ]
    without = CliRunner().invoke(app, [command[0], *command[2:]]).stdout
    assert "variant" not in without
