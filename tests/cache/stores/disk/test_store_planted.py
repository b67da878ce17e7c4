"""Files that are not trusted: pickles, paths and links that somebody planted in the directory of a disk store."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import pytest

from cache.stores.base import DamagedEntry
from tests.fixtures.disk_store import OpenStore, body_file, change, database, is_gone
from tests.fixtures.stored_entries import KEY, body_of, is_intact, new_entry, purge_all, put

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
    purge_all(store)
    store.delete_purged()
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
            purge_all(store)
            store.delete_purged()
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
