"""The generation table: when it can be believed, when it is made anew, and what it tells."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cache.stores.base import StoreError
from cache.stores.disk import generation_file
from cache.stores.disk.generation_file import FILE
from cache.stores.disk.store import DiskStore
from cache.stores.generations import SLOTS, TABLE_SIZE, private_generations
from tests.fixtures.stored_entries import KEY, is_intact, new_entry, put

MAX_SIZE = 64 << 20


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def table(directory: Path) -> Iterator[Path]:
    """A store with one entry, closed."""
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


def test_any_change_makes_another_number() -> None:
    generations = private_generations()
    slot = generations.slot(KEY)
    assert generations.settled(slot) == 0
    seen = {generations.current(slot)}
    for change in (
        lambda: generations.change_here(slot),
        lambda: generations.begin_change([slot]),
        lambda: generations.end_change([slot]),
        lambda: generations.change_here(slot),
    ):
        change()
        assert generations.current(slot) not in seen
        seen.add(generations.current(slot))
    assert generations.settled(slot) not in (0, None)
    assert generations.current(slot) == generations.current(slot)
    assert generations.current(slot + 1) == 0


def test_while_a_change_is_under_way_nobody_can_keep_anything() -> None:
    generations = private_generations()
    generations.begin_change([7])
    assert generations.settled(7) is None
    assert generations.current(7) != generations.current(7)


def test_a_change_that_is_ended_late_does_not_end_the_next_one() -> None:
    """The next one may be on the disk already: what was read before would have passed for what there is."""
    generations = private_generations()
    first = generations.begin_change([7, 8])
    second = generations.begin_change([7])
    generations.end_change([7, 8], first)
    assert generations.settled(7) is None
    assert generations.settled(8)
    generations.end_change([7], second)
    assert generations.settled(7)


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
def test_a_table_that_cannot_be_believed_is_made_anew(table: Path, damage: Callable[[Path], object]) -> None:
    damage(table)


def test_a_table_of_another_version_is_made_anew(table: Path) -> None:
    octets = bytearray(table.read_bytes())
    octets[16] ^= 1
    octets[generation_file.HEADER_SIZE :] = bytes(4 * SLOTS)  # which would say that nothing is stored
    table.write_bytes(octets)


def restarted(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """Have the machine started again, as far as stores can see."""
    boot = directory.parent / "boot_id"
    boot.write_text("another run of the machine")
    monkeypatch.setattr(generation_file, "_BOOT_ID", boot)


def zero_slots(path: Path) -> None:
    """Lose all pages but the header, as a power failure may."""
    with path.open("r+b") as file:
        file.seek(generation_file.HEADER_SIZE)
        file.write(bytes(4 * SLOTS))


def test_after_a_power_failure_a_table_that_was_in_use_is_made_anew(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DiskStore(directory, MAX_SIZE)
    stored = put(store, new_entry())
    lost = (directory / FILE).read_bytes()
    store.close()
    (directory / FILE).write_bytes(lost)  # as it was while the store was open
    zero_slots(directory / FILE)
    restarted(monkeypatch, directory)
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        assert store.peek(KEY) is None
        assert store.candidates(KEY) == (stored,)


def test_a_table_that_was_closed_cleanly_is_believed_after_a_restart(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inode = table.stat().st_ino
    restarted(monkeypatch, table.parent)
    with closing(DiskStore(table.parent, MAX_SIZE)):
        assert table.stat().st_ino == inode


def test_one_of_two_that_closes_does_not_say_that_all_is_closed(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        DiskStore(directory, MAX_SIZE).close()
        put(store, new_entry())
        lost = (directory / FILE).read_bytes()
    (directory / FILE).write_bytes(lost)
    zero_slots(directory / FILE)
    restarted(monkeypatch, directory)
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        assert len(store.candidates(KEY)) == 1
        assert store.peek(KEY) is None


def test_a_damaged_table_is_not_taken_from_those_who_use_it(directory: Path) -> None:
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


def test_what_changes_in_one_store_is_another_number_in_the_other(directory: Path) -> None:
    with closing(DiskStore(directory, MAX_SIZE)) as one, closing(DiskStore(directory, MAX_SIZE)) as other:
        slot = other.generations.slot(KEY)
        assert other.peek(KEY) == ()
        numbers = [other.generations.current(slot)]
        stored = put(one, new_entry())
        numbers.append(other.generations.current(slot))
        one.update(replace(stored, revision=1))
        numbers.append(other.generations.current(slot))
        for change in (lambda: one.invalidate(KEY), lambda: one.delete(KEY, [stored.id]), one.clear):
            put(one, new_entry())
            numbers.append(other.generations.current(slot))
            change()
            numbers.append(other.generations.current(slot))
        assert len(set(numbers)) == len(numbers)


def test_eviction_changes_the_number_too(directory: Path) -> None:
    with closing(DiskStore(directory, 1 << 20)) as store:
        put(store, new_entry(), 200_000)
        number = store.generations.current(store.generations.slot(KEY))
        for each in range(10):
            put(store, new_entry(f"http://{each}.example/"), 200_000)
        assert store.generations.current(store.generations.slot(KEY)) != number
