"""The generation table: its numbers, when its file is valid and when it is rebuilt."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cache.stores import generations
from cache.stores.base import StoreError
from cache.stores.disk import generation_file
from cache.stores.disk.generation_file import FILE
from cache.stores.disk.store import DiskStore
from cache.stores.generations import SLOTS, TABLE_SIZE, private_generations
from tests.fixtures.stored_entries import KEY, is_intact, new_entry, purge_all, purge_host, put

MAX_SIZE = 64 << 20


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def table(directory: Path) -> Iterator[Path]:
    """A closed store with one entry. After the test, a new store must still find the entry."""
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        put(store, new_entry())
    yield directory / FILE
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        (entry,) = store.candidates(KEY)
        assert store.peek(KEY) is None
        assert store.peek(KEY + "unknown") == ()
        assert is_intact(store, entry)
    assert stat.S_IMODE((directory / FILE).stat().st_mode) == 0o600
    assert (directory / FILE).stat().st_size == TABLE_SIZE


def test_a_slot_is_the_same_in_every_process() -> None:
    generations = private_generations()
    assert generations.slot(KEY) == 1_898_276
    assert all(0 <= generations.slot(key) < SLOTS for key in ("", "\udc80", "http://\xe9.example/"))


def test_any_change_gives_another_number() -> None:
    generations = private_generations()
    slot = generations.slot(KEY)
    assert generations.stable_value(slot) == 0
    seen = {generations.current(slot)}
    for change in (
        lambda: generations.note_local_change(slot),
        lambda: generations.begin_change([slot]),
        lambda: generations.end_change([slot]),
        lambda: generations.note_local_change(slot),
    ):
        change()
        assert generations.current(slot) not in seen
        seen.add(generations.current(slot))
    assert generations.stable_value(slot) not in (0, None)
    assert generations.current(slot) == generations.current(slot)
    assert generations.current(slot + 1) == 0


DAY = 86_400.0


def test_a_last_use_is_known_for_a_day_and_until_the_clock_is_set_back() -> None:
    table, used = private_generations(), 1_796_000_000.25
    assert table.last_use("a", used) == 0.0
    table.note_use("a", used)
    for later in (0.0, 0.5, DAY / 2):
        assert table.last_use("a", used + later) == pytest.approx(used, abs=0.002)
    for unknown in (DAY + 1, -1.0):
        assert table.last_use("a", used + unknown) == 0.0
    assert table.last_use("b", used) == 0.0


def test_during_a_change_no_number_repeats() -> None:
    generations = private_generations()
    generations.begin_change([7])
    assert generations.stable_value(7) is None
    assert generations.current(7) != generations.current(7)


def test_ending_a_change_late_does_not_end_a_later_change() -> None:
    """The later change may be on the disk already: data that was read before it must not count as current."""
    generations = private_generations()
    first = generations.begin_change([7, 8])
    second = generations.begin_change([7])
    generations.end_change([7, 8], first)
    assert generations.stable_value(7) is None
    assert generations.stable_value(8)
    generations.end_change([7], second)
    assert generations.stable_value(7)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"x" * TABLE_SIZE),
        lambda path: os.truncate(path, TABLE_SIZE - 1),
        lambda path: os.truncate(path, TABLE_SIZE + 1),
        lambda path: path.write_bytes(bytes(TABLE_SIZE)),
        lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
        lambda path: path.with_name("another").hardlink_to(path),
        lambda path: path.chmod(0o666),
    ],
    ids=["missing", "empty", "foreign", "short", "long", "zeros", "a link", "two names", "open to all"],
)
def test_an_invalid_table_is_rebuilt(table: Path, damage: Callable[[Path], object]) -> None:
    damage(table)


def test_a_table_is_rebuilt_from_few_keys_only(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: with ten million stored responses, the store could not be used for the first minute."""
    with closing(DiskStore(directory, 1 << 24)) as store:
        for number in range(3):
            put(store, new_entry(f"http://a.example/{number}"))
    (directory / FILE).unlink()
    monkeypatch.setattr(generations, "MAX_ADDED", 2)
    with closing(DiskStore(directory, 1 << 24)) as store:
        assert store.peek("http://b.example/") is None  # nothing is certain
        assert store.candidates("http://b.example/") == ()
        assert len(store.candidates("http://a.example/2")) == 1


def test_a_table_of_another_version_is_rebuilt(table: Path) -> None:
    data = bytearray(table.read_bytes())
    data[16] ^= 1
    data[generation_file.HEADER_SIZE :] = bytes(4 * SLOTS)  # would mean that nothing is stored
    table.write_bytes(data)


def simulate_reboot(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Change the boot id, so that stores see a rebooted machine."""
    boot_id = directory.parent / "boot_id"
    boot_id.write_text("another boot of the machine")
    monkeypatch.setattr(generation_file, "_BOOT_ID_FILE", boot_id)


def zero_slots(path: Path) -> None:
    """Lose all pages except the header, as a power failure may."""
    with path.open("r+b") as file:
        file.seek(generation_file.HEADER_SIZE)
        file.write(bytes(4 * SLOTS))


def test_after_a_power_failure_a_table_that_was_in_use_is_rebuilt(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DiskStore(directory, MAX_SIZE)
    stored = put(store, new_entry())
    in_use = (directory / FILE).read_bytes()
    store.close()
    (directory / FILE).write_bytes(in_use)  # as it was while the store was open
    zero_slots(directory / FILE)
    simulate_reboot(monkeypatch, directory)
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        assert store.peek(KEY) is None
        assert store.candidates(KEY) == (stored,)


def test_a_table_that_was_closed_cleanly_is_used_after_a_reboot(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inode = table.stat().st_ino
    simulate_reboot(monkeypatch, table.parent)
    with closing(DiskStore(table.parent, MAX_SIZE)):
        assert table.stat().st_ino == inode


def test_a_table_is_not_marked_clean_while_another_store_uses_it(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        DiskStore(directory, MAX_SIZE).close()
        put(store, new_entry())
        in_use = (directory / FILE).read_bytes()
    (directory / FILE).write_bytes(in_use)
    zero_slots(directory / FILE)
    simulate_reboot(monkeypatch, directory)
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        assert len(store.candidates(KEY)) == 1
        assert store.peek(KEY) is None


def test_a_damaged_table_in_use_by_another_process_is_not_replaced(directory: Path) -> None:
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        stored = put(store, new_entry())
        header = (directory / FILE).read_bytes()[: generation_file.HEADER_SIZE]
        with (directory / FILE).open("r+b") as file:
            file.write(b"x" * 100)
        with pytest.raises(StoreError, match="in use by another process"):
            DiskStore(directory, MAX_SIZE)
        with (directory / FILE).open("r+b") as file:
            file.write(header)
        assert store.candidates(KEY) == (stored,)
        with closing(DiskStore(directory, MAX_SIZE)) as other:
            assert other.candidates(KEY) == (stored,)


def test_a_change_in_one_store_changes_the_number_in_another(directory: Path) -> None:
    with closing(DiskStore(directory, MAX_SIZE)) as one, closing(DiskStore(directory, MAX_SIZE)) as other:
        slot = other.generations.slot(KEY)
        assert other.peek(KEY) == ()
        numbers = [other.generations.current(slot)]
        stored = put(one, new_entry())
        numbers.append(other.generations.current(slot))
        one.update(replace(stored, revision=1))
        numbers.append(other.generations.current(slot))
        for change in (lambda: one.invalidate(KEY), lambda: one.delete(KEY)):
            put(one, new_entry())
            numbers.append(other.generations.current(slot))
            change()
            numbers.append(other.generations.current(slot))
        assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("purge", [lambda store: purge_host(store, "a.example"), purge_all], ids=["host", "all"])
def test_a_purge_in_one_store_outdates_a_stamp_in_another(
    directory: Path, purge: Callable[[DiskStore], object]
) -> None:
    with closing(DiskStore(directory, MAX_SIZE)) as one, closing(DiskStore(directory, MAX_SIZE)) as other:
        put(one, new_entry())
        stamp, version = other.generations.stamp(KEY), other.generations.version()
        elsewhere = other.generations.stamp("http://b.example/")
        assert other.generations.is_current(stamp)
        purge_host(one, "c.example")
        assert other.generations.is_current(stamp)
        purge(one)
        assert other.generations.version() != version
        assert not other.generations.is_current(stamp)
        assert other.generations.is_current(other.generations.stamp(KEY))
        assert other.generations.is_current(elsewhere) == (purge is not purge_all)


def test_eviction_changes_the_number_too(directory: Path) -> None:
    with closing(DiskStore(directory, 1 << 20)) as store:
        put(store, new_entry(), 200_000)
        number = store.generations.current(store.generations.slot(KEY))
        for each in range(10):
            put(store, new_entry(f"http://{each}.example/"), 200_000)
        assert store.generations.current(store.generations.slot(KEY)) != number
