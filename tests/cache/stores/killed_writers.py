"""Kill writers at random moments and print what a reader finds: `python killed_writers.py STORE DIRECTORY KILLS`.

STORE is `disk` or `tiered`. With `tiered`, the most recent entries may be lost, but none of them partly.

It runs in its own process, since it forks, which is only safe in a process without threads.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

from cache.stores.base import DamagedEntry
from cache.stores.disk.store import DiskStore
from cache.stores.tiered.store import TieredStore
from tests.fixtures.stored_entries import body_of, is_intact, new_entry

MAX_SIZE = 8 << 20
KILLS_BETWEEN_CHECKS = 10


def opened(kind: str, directory: Path) -> DiskStore | TieredStore:
    """Open the store."""
    disk = DiskStore(directory, MAX_SIZE)
    return TieredStore(disk, MAX_SIZE, MAX_SIZE) if kind == "tiered" else disk


def store_back_to_back(kind: str, directory: Path, report: int, seed: int) -> NoReturn:
    """Store bodies until killed. Report the begin and the end of each to the descriptor `report`."""
    try:
        chance = random.Random(seed)
        store = opened(kind, directory)
        while True:
            entry = new_entry(f"http://{chance.randrange(20)}.example/")
            length = chance.choice([chance.randrange(65_536), chance.randrange(300_000, 2_000_000)])
            replaced = tuple(each.id for each in store.candidates(entry.key)[1:])
            body = body_of(entry.id, length)
            os.write(report, f"begin {entry.id}\n".encode())
            writer = store.writer()
            for start in range(0, length, 4_096):
                writer.write(body[start : start + 4_096])
            writer.commit(entry, replaced)
            os.write(report, f"end {entry.id}\n".encode())
    except BaseException:  # noqa: BLE001 - the child must not return into the parent's code
        traceback.print_exc()
    finally:
        os._exit(1)


def kill_a_writer(kind: str, directory: Path, chance: random.Random) -> tuple[bool, str | None]:
    """Return whether the kill came between begin and end of a write, and the id of the last complete one."""
    reading, writing = os.pipe()
    seed = chance.randrange(1 << 30)
    child = os.fork()
    if child == 0:
        os.close(reading)
        store_back_to_back(kind, directory, writing, seed)
    os.close(writing)
    output = b""
    marks = chance.randrange(1, 8)
    while output.count(b"\n") < marks or not output.splitlines()[-1].startswith(b"begin"):
        output += os.read(reading, 1000) or sys.exit("the writer ended by itself")
    time.sleep(chance.random() * 0.006)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    with os.fdopen(reading, "rb") as rest:
        lines = (output + rest.read()).decode().splitlines()
    ended = [line.split()[1] for line in lines if line.startswith("end")]
    return bool(lines) and lines[-1].startswith("begin"), ended[-1] if ended else None


def check(directory: Path, last: str | None) -> dict[str, int]:
    """Return what a reader finds after a restart; `last` is the id of the last entry that was stored completely."""
    store = DiskStore(directory, MAX_SIZE)
    store.sweep()
    entries = list(store.entries())
    found = {"served": 0, "wrong": 0, "damaged": 0}
    found["lost"] = last is not None and last not in [entry.id for entry in entries]
    for entry in entries:
        try:
            found["served" if is_intact(store, entry) else "wrong"] += 1
        except DamagedEntry:
            found["damaged"] += 1
    rows = store._rows.file_names()
    files = {path.relative_to(directory).as_posix() for path in directory.glob("bodies/*/*")}
    found["orphans"] = len(files ^ rows) + len(list(directory.glob("spool/*")))
    found["strays"] = abs(store.statistics().entries - found["served"])
    store.close()
    return found


def main(kind: str, directory: Path, kills: int) -> None:
    """Kill writers, check the store after some kills, and print the sums."""
    chance = random.Random(20)
    sums = {"kills": kills, "inside": 0, "left_behind": 0}
    for number in range(1, kills + 1):
        inside, last = kill_a_writer(kind, directory, chance)
        sums["inside"] += inside
        sums["left_behind"] += any(directory.glob("spool/*"))
        if number % KILLS_BETWEEN_CHECKS == 0:
            for name, count in check(directory, last).items():
                sums[name] = sums.get(name, 0) + count
    print(json.dumps(sums))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
