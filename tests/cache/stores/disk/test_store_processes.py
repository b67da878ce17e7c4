"""The disk store used by several processes, some of which are killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cache.stores.base import StoreError
from cache.stores.disk.rows import FOUND_DAMAGED
from cache.stores.disk.store import DiskStore
from tests.fixtures.disk_store import OpenStore, body_file, database
from tests.fixtures.full_disk import MAX_SIZE
from tests.fixtures.stored_entries import KEY, body_of, files_below, is_intact, new_entry, put


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


def test_a_later_process_keeps_a_damaged_database_from_being_replaced(open_store: OpenStore, directory: Path) -> None:
    """It holds the lock that shows its use, although it has asked whether it is alone."""
    first, later = open_store(), open_store()
    first.close()
    (directory / FOUND_DAMAGED).touch()
    with pytest.raises(StoreError, match="in use by another process"):
        open_store()
    later.close()
    assert open_store().statistics().entries == 0


def test_a_sweep_spares_the_body_that_another_process_is_writing(open_store: OpenStore, directory: Path) -> None:
    entry = new_entry()
    writer = open_store().writer()
    writer.write(body_of(entry.id, 100_000))
    other = open_store()
    other.sweep()
    assert len(files_below(directory)) == 1
    stored = writer.commit(entry)
    assert is_intact(other, stored)
