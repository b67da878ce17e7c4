"""A store that is filled before the measurement, with the code of the measured secondhand."""

from __future__ import annotations

import subprocess
import time

from tools.bench.origin import SIZES
from tools.bench.server_settings import HERE, ServerSettings
from tools.bench.testbed import RunOptions

AUTHORITY = "stored.invalid"
"""Host in the URLs of the stored responses: no origin has this name, so that every response must be a hit."""


def fill(options: RunOptions, count: int, settings: ServerSettings) -> None:
    """Put `count` responses into the store of a server that has not been started yet."""
    python = options.secondhand.absolute().parent / "python"
    start = time.monotonic()
    script, url = str(HERE / "scenarios" / "fill_store.py"), f"http://{AUTHORITY}/key/"
    subprocess.run(
        [python, "-P", script, settings.folder / "store", str(count), str(SIZES[size_of_body(count)]), url], check=True
    )
    if count > 10_000:
        print(f"a store of {count:,} filled in {time.monotonic() - start:.0f} s", flush=True)


def size_of_body(count: int) -> str:
    """Return the size of each body, a key of `SIZES`: ten million of 1 KiB would take 23 GB."""
    return "1k" if count <= 1_000_000 else "256"
