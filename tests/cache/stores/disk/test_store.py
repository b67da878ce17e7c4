"""The disk store beyond the contract: restarts, other processes, and files that are not trusted."""

from __future__ import annotations

import json
import logging
import os
import pickle
import random
import resource
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cache.rules.stored_response import StoredResponse
from cache.stores.base import DamagedEntry, StoreError
from cache.stores.disk.store import DiskStore
from tests.fixtures.full_disk import MAX_SIZE, fill
from tests.fixtures.stored_entries import KEY, body_of, files_below, is_intact, new_entry, put, read

LENGTHS = pytest.mark.parametrize("length", [1000, 300_000], ids=["inline", "file"])
OpenStore = Callable[..., DiskStore]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def open_store(directory: Path) -> Iterator[OpenStore]:
    """Open the store as another process, or a later one, would: with no state in memory."""
    opened: list[DiskStore] = []

    def open_one(max_size: int = MAX_SIZE, **options: float) -> DiskStore:
        opened.append(DiskStore(directory, max_size, **options))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()  # some of them a second time


@contextmanager
def database(directory: Path) -> Iterator[sqlite3.Connection]:
    """Open the database with a separate connection, to change it behind the store."""
    with closing(sqlite3.connect(directory / "cache.db", isolation_level=None)) as connection:
        yield connection


def columns(directory: Path, key: str, names: str) -> tuple[object, ...]:
    with database(directory) as connection:
        return connection.execute(f"SELECT {names} FROM Cache WHERE key = ?", (key,)).fetchone()


def change(directory: Path, key: str, assignments: str, *values: object) -> None:
    with database(directory) as connection:
        assert connection.execute(f"UPDATE Cache SET {assignments} WHERE key = ?", (*values, key)).rowcount == 1


def body_file(directory: Path, entry: StoredResponse) -> Path:
    return directory / str(columns(directory, f"b:{entry.id}", "filename")[0])


def is_gone(store: DiskStore, directory: Path, entry: StoredResponse) -> bool:
    """Return whether nothing is left of an entry."""
    with database(directory) as connection:
        rows = connection.execute("SELECT * FROM Cache WHERE key = ?", (f"b:{entry.id}",)).fetchall()
    return not rows and entry.id not in [each.id for each in store.candidates(entry.key)]


# ---- restarts and other processes


@LENGTHS
def test_entries_survive_a_restart(open_store: OpenStore, length: int) -> None:
    store = open_store()
    stored = put(store, new_entry(), length)
    store.close()
    store = open_store()
    assert store.candidates(KEY) == (stored,)
    assert is_intact(store, stored)


def test_a_closed_store_raises_store_error(open_store: OpenStore) -> None:
    store = open_store()
    stored = put(store, new_entry())
    store.close()
    for use in (lambda: store.candidates(KEY), lambda: store.open(stored), lambda: put(store, new_entry())):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_two_stores_see_each_others_entries(open_store: OpenStore) -> None:
    one, other = open_store(), open_store()
    first = put(one, new_entry(), 100)
    second = put(other, new_entry(), 100_000)
    assert one.candidates(KEY) == other.candidates(KEY) == (second, first)
    body = one.open(second)
    assert other.delete(KEY) == 2
    assert body.read(0, second.length) == body_of(second.id, second.length)
    body.close()
    assert one.candidates(KEY) == ()


@pytest.mark.parametrize("kind", ["disk", "tiered"])
def test_two_processes_work_on_one_store(directory: Path, kind: str) -> None:
    script = Path(__file__).parents[1].joinpath("busy_process.py")
    processes = [python(script, kind, directory, str(seed)) for seed in (1, 2)]
    for process in processes:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        assert int(output) > 0
    with closing(DiskStore(directory, MAX_SIZE)) as store:
        assert all(is_intact(store, entry) for entry in store.entries())


@pytest.mark.parametrize("kind", ["disk", "tiered"])
def test_killed_writers_leave_no_damaged_entry(directory: Path, kind: str) -> None:
    process = python(Path(__file__).parents[1].joinpath("killed_writers.py"), kind, directory, "200")
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    found = json.loads(output)
    assert found["kills"] == 200
    assert found["inside"] >= 100
    assert found["left_behind"] > 0
    assert found["served"] > 0
    if kind == "disk":
        assert found["lost"] == 0
    for unwanted in ("wrong", "damaged", "orphans", "strays"):
        assert found[unwanted] == 0, unwanted


def python(script: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_remains_of_a_killed_process_are_swept_at_the_next_start(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored = put(store, new_entry(), 100_000)
    headless = put(store, new_entry(KEY + "headless"), 100_000)
    store.close()
    with database(directory) as connection:
        connection.execute("DELETE FROM Cache WHERE key = ?", (f"u:{headless.key}",))
    (directory / "spool" / ("0" * 32)).write_bytes(b"the writer was killed")
    orphan = directory / "bodies" / "00" / ("0" * 30 + ".val")
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"the row was never committed")
    store = open_store()
    assert not list(directory.glob("spool/*"))
    store.sweep()
    assert files_below(directory) == {body_file(directory, stored).relative_to(directory).as_posix()}
    assert store.statistics().entries == 1
    assert is_intact(store, stored)


def test_a_sweep_spares_the_body_that_another_process_is_writing(open_store: OpenStore, directory: Path) -> None:
    entry = new_entry()
    writer = open_store().writer()
    writer.write(body_of(entry.id, 100_000))
    other = open_store()
    other.sweep()
    assert len(files_below(directory)) == 1
    stored = writer.commit(entry)
    assert is_intact(other, stored)


def test_a_commit_that_fails_leaves_nothing(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored = put(store, new_entry(), 100_000)
    before = files_below(directory), store.statistics()
    for length in (1000, 300_000):
        writer = store.writer()
        writer.write(b"x" * length)
        with pytest.raises(StoreError):
            writer.commit(new_entry(id=stored.id))
        assert (files_below(directory), store.statistics()) == before
    assert is_intact(store, stored)


def test_a_deleted_entry_leaves_neither_row_nor_file(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored = [put(store, new_entry(), length) for length in (1000, 100_000, 300_000)]
    store.delete(KEY, [stored[1].id])
    assert len(files_below(directory)) == 1
    store.delete(KEY)
    assert files_below(directory) == set()
    with database(directory) as connection:
        assert connection.execute("SELECT * FROM Cache").fetchall() == []


# ---- last uses


def test_reading_and_touching_write_nothing(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    for length in (1000, 100_000):
        put(store, new_entry(), length)
    with database(directory) as connection:
        before = connection.execute("PRAGMA data_version").fetchone()
        for entry in store.candidates(KEY):
            assert is_intact(store, entry)
            store.touch(entry.id)
        assert connection.execute("PRAGMA data_version").fetchone() == before


def test_last_uses_are_written_when_the_store_is_closed(open_store: OpenStore) -> None:
    store = open_store(1 << 20)
    used, *others = (put(store, new_entry(f"http://{name}.example/"), 200_000) for name in "abcd")
    store.touch(used.id)
    store.close()
    store = open_store(1 << 20)
    put(store, new_entry("http://e.example/"), 300_000)
    assert store.candidates(used.key) == (used,)
    assert store.candidates(others[0].key) == ()


def test_last_uses_are_written_after_the_touch_delay(open_store: OpenStore, directory: Path) -> None:
    store = open_store(touch_delay=0.01)
    stored = put(store, new_entry())
    for _ in range(2):
        (before,) = columns(directory, f"b:{stored.id}", "access_time")
        store.touch(stored.id)
        for _ in range(3000):
            if columns(directory, f"b:{stored.id}", "access_time") != (before,):
                break
            time.sleep(0.01)
        else:
            pytest.fail("the use was never written")


# ---- damage


@LENGTHS
@pytest.mark.parametrize("damage", ["truncate", "flip", "extend", "empty", "remove"])
def test_a_damaged_body_is_a_miss_and_its_entry_is_deleted(
    open_store: OpenStore, directory: Path, length: int, damage: str
) -> None:
    store = open_store()
    other, stored = put(store, new_entry(), length), put(store, new_entry(), length)
    body = body_of(stored.id, length)
    damaged = {
        "truncate": body[:-1],
        "flip": body[:500] + bytes([body[500] ^ 1]) + body[501:],
        "extend": body + b"x",
        "empty": b"",
        "remove": None,
    }[damage]
    if length == 1000 and damaged is None:
        with database(directory) as connection:
            connection.execute("DELETE FROM Cache WHERE key = ?", (f"b:{stored.id}",))
    elif length == 1000:
        change(directory, f"b:{stored.id}", "value = ?", damaged)
    elif damaged is None:
        body_file(directory, stored).unlink()
    else:
        body_file(directory, stored).write_bytes(damaged)
    with pytest.raises(DamagedEntry):
        store.open(stored)
    assert is_gone(store, directory, stored)
    assert store.candidates(KEY) == (other,)
    assert len(files_below(directory)) == (0 if length == 1000 else 1)


def test_the_digest_is_checked_once_per_process_and_the_length_each_time(
    open_store: OpenStore, directory: Path
) -> None:
    store = open_store()
    stored = put(store, new_entry(), 300_000)
    assert is_intact(store, stored)
    body_file(directory, stored).write_bytes(b"x" * 300_000)
    assert read(store, stored) == b"x" * 300_000  # accepted, to avoid reading each body twice
    with pytest.raises(DamagedEntry):
        open_store().open(stored)
    stored = put(store, new_entry(), 300_000)
    assert is_intact(store, stored)
    os.truncate(body_file(directory, stored), 299_999)
    with pytest.raises(DamagedEntry):
        store.open(stored)


def test_a_body_truncated_while_it_is_read_raises_damaged_entry(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored = put(store, new_entry(), 300_000)
    body = store.open(stored)
    assert body.read(0, 1000) == body_of(stored.id, 1000)
    os.truncate(body_file(directory, stored), 2000)
    with pytest.raises(DamagedEntry):
        body.read(1000, 3000)
    body.close()
    assert is_gone(store, directory, stored)


def mutated(data: bytes, chance: random.Random) -> bytes:
    position, count = chance.randrange(len(data)), chance.randrange(1, 20)
    match chance.randrange(5):
        case 0:
            return data[:position] + bytes([data[position] ^ 1 << chance.randrange(8)]) + data[position + 1 :]
        case 1:
            return data[:position]
        case 2:
            return data[:position] + chance.randbytes(count) + data[position:]
        case 3:
            return data[:position] + data[position + count :]
        case _:
            return data[:position] + bytes(count) + data[position + count :]


@pytest.mark.parametrize("row", ["u", "b"])
def test_an_entry_whose_row_is_altered_is_deleted(open_store: OpenStore, directory: Path, row: str) -> None:
    chance = random.Random(7)
    store = open_store()
    changed = 0
    for _ in range(150):
        stored = put(store, new_entry(), 2000)
        key = f"u:{KEY}" if row == "u" else f"b:{stored.id}"
        (value,) = columns(directory, key, "value")
        assert isinstance(value, bytes)
        damaged = mutated(value, chance)
        if damaged == value:
            continue
        change(directory, key, "value = ?", damaged)
        changed += 1
        for entry in store.candidates(KEY):
            assert row == "b"
            with pytest.raises(DamagedEntry):
                store.open(entry)
        assert is_gone(store, directory, stored)
        assert store.statistics().entries == 0
    assert changed > 100


def test_a_head_row_copied_from_another_key_is_a_miss(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    put(store, new_entry())
    other = put(store, new_entry(KEY + "other"))
    change(directory, f"u:{KEY}", "value = ?", columns(directory, f"u:{other.key}", "value")[0])
    assert store.candidates(KEY) == ()
    assert store.candidates(other.key) == (other,)


def test_a_body_row_copied_from_another_entry_is_refused(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored, other = put(store, new_entry()), put(store, new_entry())
    change(directory, f"b:{stored.id}", "value = ?", columns(directory, f"b:{other.id}", "value")[0])
    with pytest.raises(DamagedEntry):
        store.open(stored)
    assert store.candidates(KEY) == (other,)


def test_entries_of_another_version_are_a_miss_and_are_overwritten(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    put(store, new_entry(), 100_000)
    (value,) = columns(directory, f"u:{KEY}", "value")
    assert isinstance(value, bytes)
    change(directory, f"u:{KEY}", "value = ?", value[:4] + b"\x63" + value[5:])
    stored = put(store, new_entry())
    assert store.candidates(KEY) == (stored,)
    assert files_below(directory) == set()


def test_iteration_survives_damaged_rows_and_deletes_them(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    stored = [put(store, new_entry(f"http://{name}.example/"), 70_000) for name in "abcdefgh"]
    change(directory, f"u:{stored[0].key}", "value = ?", b"\x00")
    change(directory, f"u:{stored[1].key}", "value = ?", "text")
    change(directory, f"u:{stored[2].key}", "value = NULL")
    change(directory, f"u:{stored[3].key}", "key = CAST(x'753aff' AS TEXT)")
    change(directory, f"u:{stored[4].key}", "mode = 4")
    change(directory, f"u:{stored[5].key}", "filename = CAST(x'ff' AS TEXT)")
    assert list(store.entries()) == stored[6:]
    with database(directory) as connection:
        heads = connection.execute("SELECT COUNT(*) FROM Cache WHERE key < 'u;' AND key > 'u:'").fetchone()
    assert heads == (2,)
    store.sweep()
    assert store.statistics().entries == len(files_below(directory)) == 2


def test_eviction_deletes_rows_that_belong_to_no_entry(open_store: OpenStore, directory: Path) -> None:
    store = open_store(1 << 20)
    strays = [put(store, new_entry(f"http://{number}.example/"), 60_000) for number in range(4)]
    for stray, tag in zip(strays, (5, b"x", "no such key", 1.5), strict=True):
        change(directory, f"b:{stray.id}", "tag = ?, access_time = 0", tag)
    for number in range(20):
        stored = put(store, new_entry(f"http://{number}.example/x"), 60_000)
    assert store.statistics().size <= 1 << 20
    assert store.candidates(stored.key) == (stored,)
    assert all(is_gone(store, directory, stray) or store.delete(stray.key) for stray in strays)


# ---- pickles and paths

audited: list[str] = []
sys.addaudithook(lambda event, _: audited.append(event) if event == "pickle.find_class" else None)


class Payload:
    """An object that creates a directory when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_the_pickle_payload_works(tmp_path: Path) -> None:
    audited.clear()
    pickle.loads(pickle.dumps(Payload(tmp_path / "harm")))
    assert audited == ["pickle.find_class"]
    assert (tmp_path / "harm").exists()


PLANTED = {
    "a pickle in the row": "mode = 4, value = :pickle",
    "a pickle in a file": "mode = 4, value = NULL, filename = :filename",
    "a pickle called binary": "mode = 2, value = :pickle",
    "text": "mode = 3, value = NULL, filename = :filename",
    "an unknown mode": "mode = 9, value = :pickle",
    "no mode": "mode = NULL, value = :pickle",
    "a mode that is text": "mode = 'x', value = :pickle",
    "a key that is a pickle": "raw = 0, key = :pickle",
}


@pytest.mark.parametrize("row", ["u", "b"])
@pytest.mark.parametrize("assignments", PLANTED.values(), ids=PLANTED)
def test_a_planted_pickle_is_never_read(
    open_store: OpenStore, directory: Path, tmp_path: Path, row: str, assignments: str
) -> None:
    pickled = pickle.dumps(Payload(tmp_path / "harm"))
    store = open_store()
    stored = put(store, new_entry(), 1000)
    planted = directory / "bodies" / "ab" / ("c" * 30 + ".val")
    planted.parent.mkdir()
    planted.write_bytes(pickled)
    audited.clear()
    with database(directory) as connection:
        connection.execute(
            f"UPDATE Cache SET {assignments} WHERE key = :key",
            {
                "pickle": pickled,
                "filename": planted.relative_to(directory).as_posix(),
                "key": f"u:{KEY}" if row == "u" else f"b:{stored.id}",
            },
        )
    for entry in [*store.candidates(KEY), *store.entries()]:
        with pytest.raises(DamagedEntry):
            store.open(entry)
    assert store.candidates(KEY) == ()
    put(store, new_entry(), 1000)
    store.close()
    store = open_store()
    assert is_intact(store, store.candidates(KEY)[0])
    store.clear()
    assert not audited
    assert not (tmp_path / "harm").exists()
    with database(directory) as connection:
        assert connection.execute("SELECT * FROM Cache").fetchall() == []


def test_only_bytes_can_be_written_to_a_row(open_store: OpenStore) -> None:
    rows = open_store()._rows
    audited.clear()
    for value in (Payload(Path("harm")), "text", 1, 1.0, None, bytearray(b"x"), [b"x"]):
        with pytest.raises(ValueError, match="expected bytes"):
            rows.set("u:x", value)
    for key in (b"x", 1, None, ("u:x",)):
        with pytest.raises(ValueError, match="expected a str"):
            rows.set(key, b"x")
    assert list(rows.keys()) == []


@pytest.mark.parametrize("remove", ["open", "delete", "evict", "clear", "restart"])
@pytest.mark.parametrize("name", ["../victim", "{victim}", "bodies/../../victim", "bodies/ab/../../../victim", "lock"])
def test_a_file_name_outside_the_bodies_directory_is_neither_read_nor_removed(
    open_store: OpenStore, directory: Path, tmp_path: Path, name: str, remove: str
) -> None:
    store = open_store(2 << 20)
    stored = put(store, new_entry(), 300_000)
    victim = tmp_path / "victim"
    victim.write_bytes(body_of(stored.id, 300_000))
    change(directory, f"b:{stored.id}", "filename = ?, access_time = 0", name.format(victim=victim))
    match remove:
        case "open":
            with pytest.raises(DamagedEntry):
                store.open(stored)
        case "delete":
            assert store.delete(KEY) == 1
        case "evict":
            for number in range(10):
                put(store, new_entry(f"http://{number}.example/"), 300_000)
        case "clear":
            store.clear()
        case "restart":
            store.close()
            store = open_store()
            with pytest.raises(DamagedEntry):
                store.open(stored)
    assert is_gone(store, directory, stored)
    assert victim.read_bytes() == body_of(stored.id, 300_000)


def test_a_symbolic_link_in_place_of_a_body_file_is_not_followed(
    open_store: OpenStore, directory: Path, tmp_path: Path
) -> None:
    store = open_store()
    stored = put(store, new_entry(), 300_000)
    victim = tmp_path / "victim"
    path = body_file(directory, stored)
    path.rename(victim)
    path.symlink_to(victim)
    with pytest.raises(DamagedEntry):
        store.open(stored)
    assert is_gone(store, directory, stored)
    assert victim.exists()


# ---- the directory


def test_other_users_have_no_access_to_the_files(open_store: OpenStore, directory: Path) -> None:
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)
    before = os.umask(0)
    try:
        store = open_store()
        for length in (1000, 100_000, 300_000):
            put(store, new_entry(), length)
        writer = store.writer()
        writer.write(b"x" * 100_000)
        paths = [directory, *directory.rglob("*")]
        assert len(paths) > 10
        for path in paths:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
        writer.abort()
    finally:
        os.umask(before)


def test_a_directory_of_another_user_is_refused(directory: Path) -> None:
    if os.geteuid() == 0:
        directory.mkdir()
        os.chown(directory, 65_534, 65_534)
    else:
        directory = Path("/")
    with pytest.raises(StoreError, match="belongs to another user"):
        DiskStore(directory, MAX_SIZE)


def test_a_directory_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for unusable in (tmp_path / "file", tmp_path / "file" / "store", Path("/proc/store"), tmp_path / ("x" * 300)):
        with pytest.raises(StoreError, match="cannot be used"):
            DiskStore(unusable, MAX_SIZE)


def test_a_path_that_diskcache_would_expand_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", "elsewhere")
    with pytest.raises(StoreError, match="variable"):
        DiskStore(tmp_path / "$ELSEWHERE", MAX_SIZE)
    assert list(tmp_path.iterdir()) == []


# ---- disks that fail


@contextmanager
def small_disk(directory: Path) -> Iterator[Callable[[], None]]:
    """Limit every file to 1 MiB; yield a function that lifts it. tests/programs/test_full_disk.py fills a real disk."""
    DiskStore(directory, MAX_SIZE).close()  # the generation table is larger
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    lift = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        yield lift
    finally:
        lift()


def test_on_a_full_disk_hits_go_on_and_stores_fail_cleanly(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(directory) as lift:
        fill(directory, lift, monkeypatch)


def test_a_read_only_directory_is_refused(directory: Path) -> None:
    DiskStore(directory, MAX_SIZE).close()
    if os.geteuid() != 0:
        directory.chmod(0o500)
    else:  # no mode keeps root from writing
        directory = Path("/proc/self/task")
    with pytest.raises(StoreError, match=r"cannot be (used|opened)"):
        DiskStore(directory, MAX_SIZE)


WRITES: dict[str, Callable[[DiskStore, StoredResponse], object]] = {
    "storing inline": lambda store, entry: put(store, new_entry(), 1000),
    "storing a file": lambda store, entry: put(store, new_entry(), 300_000),
    "update": lambda store, entry: store.update(replace(entry, revision=1)),
    "invalidate": lambda store, entry: store.invalidate(KEY),
    "delete": lambda store, entry: store.delete(KEY),
    "delete_host": lambda store, entry: store.delete_host("a.example"),
    "clear": lambda store, entry: store.clear(),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("problem", ["read-only", "locked"])
def test_reading_works_while_writing_fails(
    open_store: OpenStore, directory: Path, problem: str, write: Callable[[DiskStore, StoredResponse], object]
) -> None:
    store = open_store(lock_timeout=0.05)
    stored = put(store, new_entry(), 100_000)
    before = files_below(directory)
    with database(directory) as other_connection:
        if problem == "locked":
            other_connection.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            if problem == "read-only":
                store._rows.execute("PRAGMA query_only = 1")
            with pytest.raises(StoreError, match=problem.replace("-", "")):
                write(store, stored)
        store.touch(stored.id)
        assert store.candidates(KEY) == (stored,)
        assert is_intact(store, stored)
        assert files_below(directory) == before
    assert is_intact(store, put(store, new_entry(), 100_000))


def test_running_out_of_file_descriptors_deletes_nothing(open_store: OpenStore) -> None:
    store = open_store()
    stored = put(store, new_entry(), 300_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError), ExitStack() as files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 200), hard))
        try:
            with suppress(OSError):
                while True:
                    files.enter_context(Path("/dev/null").open())
            with pytest.raises(StoreError, match="cannot be opened") as refused:
                store.open(stored)
            with pytest.raises(StoreError):
                put(store, new_entry(), 300_000)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not isinstance(refused.value, DamagedEntry)
    assert is_intact(store, stored)


# ---- databases that are damaged


def damage_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"This is no database.")


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace_by_text(path: Path) -> None:
    path.write_text("not a database at all\n" * 1000)


def change_shape(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE Settings (x); CREATE TABLE Cache (y)")
    path.chmod(0o600)


def plant_setting(name: str) -> Callable[[Path], None]:
    def plant(path: Path) -> None:
        with database(path.parent) as connection:
            connection.execute("INSERT INTO Settings VALUES (?, 5)", (name,))

    return plant


DAMAGE = {
    "header": damage_header,
    "half": cut_in_half,
    "text": replace_by_text,
    "another shape": change_shape,
    "a setting of the disk": plant_setting("disk_colour"),
    "a setting that hides a method": plant_setting("transact"),
    "a setting that is a pragma": plant_setting("sqlite_writable_schema"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_database_is_renamed_and_replaced(
    open_store: OpenStore, directory: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
) -> None:
    store = open_store()
    for number in range(20):
        put(store, new_entry(f"http://{number}.example/"), [5000, 100_000][number % 2])
    store.close()
    for _ in range(2):
        damage(directory / "cache.db")
        with caplog.at_level(logging.WARNING):
            store = open_store()
        assert "was damaged and starts empty" in caplog.text
        caplog.clear()
        assert (directory / "damaged-cache.db").exists()
        assert list(store.entries()) == []
        store.sweep()
        assert files_below(directory) == set()
        assert is_intact(store, put(store, new_entry(), 100_000))
        store.close()


def test_a_damaged_database_in_use_by_another_process_is_not_replaced(open_store: OpenStore, directory: Path) -> None:
    store = open_store()
    put(store, new_entry())
    store._rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage_header(directory / "cache.db")
    with pytest.raises(StoreError, match="in use by another process"):
        open_store()
    store.close()
    assert list(open_store().entries()) == []


def test_a_database_found_malformed_in_use_is_replaced_at_the_next_start(
    open_store: OpenStore, directory: Path
) -> None:
    open_store().close()
    with database(directory) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'Body_access_time'").fetchone()
    with (directory / "cache.db").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(bytes(4096))
    store = open_store()  # opening does not read that page
    with pytest.raises(StoreError, match="malformed"):
        put(store, new_entry())
    open_store().close()  # does not replace it: the first store still uses it
    store.close()
    store = open_store()
    assert list(store.entries()) == []
    assert is_intact(store, put(store, new_entry()))


def test_altered_settings_in_the_database_do_not_lift_the_limit(open_store: OpenStore, directory: Path) -> None:
    open_store().close()
    with database(directory) as connection:
        connection.execute("UPDATE Settings SET value = 'much' WHERE key IN ('size', 'count', 'cull_limit')")
        connection.execute("UPDATE Settings SET value = -1000000000 WHERE key = 'size_limit'")
    store = open_store(1 << 20)
    for number in range(10):
        put(store, new_entry(f"http://{number}.example/"), 200_000)
    assert 200_000 < store.statistics().size <= 1 << 20


@pytest.mark.parametrize("running", [False, True], ids=["at rest", "while running"])
def test_a_database_damaged_at_random_never_returns_a_wrong_entry(directory: Path, running: bool) -> None:
    chance = random.Random(11)
    served = 0
    for _ in range(25):
        store = DiskStore(directory, MAX_SIZE)
        with suppress(StoreError):
            store.clear()
            for number in range(12):
                put(store, new_entry(f"http://{number}.example/"), chance.randrange(20_000))
            entries = {entry.id: entry for entry in store.entries()}
        store.close()
        if running:
            store = DiskStore(directory, MAX_SIZE)
        with (directory / "cache.db").open("r+b") as file:
            for _ in range(chance.randrange(1, 6)):
                file.seek(chance.randrange(file.seek(0, os.SEEK_END)))
                file.write(chance.randbytes(chance.choice([1, 100, 4096])))
        if not running:
            store = DiskStore(directory, MAX_SIZE)
        with suppress(StoreError):
            for entry in store.entries():
                assert entry == entries[entry.id]
                with suppress(StoreError):
                    assert is_intact(store, entry)
                    served += 1
        for write in WRITES.values():
            with suppress(StoreError):
                write(store, new_entry())
        with suppress(StoreError):
            store.statistics()
        store.close()
    assert served > 0
