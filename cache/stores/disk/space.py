"""The space that a store uses, found without opening it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from diskcache.core import DBNAME


def bytes_in_use(directory: Path) -> int:
    """Return the bytes that a store in a directory uses: its database and its bodies. 0 if there is no usable store."""
    database = directory / DBNAME
    with suppress(OSError, sqlite3.Error, TypeError, ValueError):  # its content is not trusted
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
            (bodies,) = connection.execute("SELECT CAST(value AS INTEGER) FROM Settings WHERE key = 'size'").fetchone()
        size: int = database.stat().st_size + max(0, int(bodies))
        return size
    return 0
