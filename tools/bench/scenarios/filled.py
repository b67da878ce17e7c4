"""A store that has been filled beforehand, by the code of the secondhand that is measured."""

from __future__ import annotations

import subprocess
import time

from tools.bench.place import HERE, Place
from tools.bench.stage import Bench

AUTHORITY = "stored.invalid"
"""Whose responses they are: nobody can be asked for them again."""


def fill(bench: Bench, count: int, place: Place) -> None:
    """Put so many responses of 1 KiB in the store of a place."""
    python = bench.secondhand.absolute().parent / "python"
    began = time.monotonic()
    script = str(HERE / "scenarios" / "fill_store.py")
    subprocess.run([python, "-P", script, place.folder / "store", str(count), f"http://{AUTHORITY}/key/"], check=True)
    if count > 10_000:
        print(f"a store of {count:,} filled in {time.monotonic() - began:.0f} s", flush=True)
