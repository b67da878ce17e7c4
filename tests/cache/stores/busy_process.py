"""Write, read, update, delete and reopen a store for a while: `python busy_process.py STORE DIRECTORY SEED`."""

from __future__ import annotations

import random
import sys
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from cache.stores.base import DamagedEntry
from cache.stores.disk.store import DiskStore
from tests.cache.stores.killed_writers import opened
from tests.fixtures.stored_entries import is_intact, new_entry, put

MAX_SIZE = 4 << 20


def main(kind: str, directory: Path, seed: int) -> None:
    """Check that each body that is read is the one that was stored, and print how many were read."""
    chance = random.Random(seed)
    served = 0
    store = opened(kind, directory)
    for number in range(400):
        key = f"http://{chance.randrange(8)}.example/"
        match chance.randrange(6):
            case 0 | 1:
                put(store, new_entry(key), chance.choice([0, 500, 65_536, 65_537, 300_000]))
            case 2 | 3:
                for entry in store.candidates(key):
                    with suppress(DamagedEntry):  # the other process has deleted it
                        assert is_intact(store, entry), "a wrong body was served"
                        served += 1
                        store.touch(entry.id)
            case 4:
                for entry in store.candidates(key):
                    store.update(replace(entry, request_time=float(seed), revision=entry.revision + 1))
            case 5:
                store.delete(key, [entry.id for entry in store.candidates(key)[1:]])
        if number % 40 == 39:  # sweeps, while the other process is writing
            store.close()
            with closing(DiskStore(directory, MAX_SIZE)) as swept:
                swept.sweep()
            store = opened(kind, directory)
    store.close()
    print(served)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
