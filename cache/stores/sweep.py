"""Sweeping: what killed processes left in the store's directory and no entry owns."""

from __future__ import annotations

from pathlib import Path

from cache.stores.octets_disk import BODIES, BODY_FILE
from cache.stores.rows import Rows
from cache.stores.spool import sweep_spools
from cache.stores.transaction import Transaction

SPOOLS = "spool"
"""The directory of the bodies on their way in."""


def sweep(directory: Path, rows: Rows) -> None:
    """Remove dead writers' spool files, rows that belong to no entry, and body files that belong to no row.

    Raises:
        StoreError: the store cannot be read or written.
    """
    with rows.failures():
        sweep_spools(directory / SPOOLS)
    with rows.exclusive() as discard:
        Transaction(rows, discard).drop_strays()
    with rows.failures():
        orphans = _body_files(directory) - rows.file_names()
    if orphans:
        with rows.exclusive():  # so that nobody is between moving a file to its place and committing its row
            for name in orphans - rows.file_names():
                rows.disk.remove(name)


def _body_files(directory: Path) -> set[str]:
    paths = (path.relative_to(directory).as_posix() for path in (directory / BODIES).glob("*/*"))
    return {path for path in paths if BODY_FILE.fullmatch(path)}
