"""Fills a store: a program of its own, run by the Python of the secondhand whose store it is.

Arguments: the store's directory, how many responses, what their URLs begin with. Seven digits follow, from 0000001 on.

The first response is stored by the store's own code. The others are copies of its rows: stored one by one, a million
would take a quarter of an hour. Where the store's rows are not what is expected here, nothing is copied.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
import uuid
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

from cache.http.messages import Fields, Response
from cache.rules.key import key_of_uri
from cache.rules.stored_response import StoredResponse
from cache.stores.codec import encode, encode_row
from cache.stores.disk.generation_file import FILE as GENERATIONS
from cache.stores.disk.store import DiskStore

BODY = bytes(range(256)) * 4

type Row = tuple[str | bytes | int | float | None, ...]


def main(directory: Path, count: int, beginning: str) -> None:
    """Store so many responses."""
    first = _store(directory, f"{beginning}{1:07d}")
    rows = sqlite3.connect(directory / "cache.db", isolation_level=None)
    # all in memory, then written once
    for pragma in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -2000000"):
        rows.execute(f"PRAGMA {pragma}")
    names = [name for _, name, *_ in rows.execute("PRAGMA table_info(Cache)") if name != "rowid"]
    columns = ", ".join(names)
    model: list[Row] = rows.execute(f"SELECT {columns} FROM Cache").fetchall()
    written = _encoded(first)
    if not any(written in row for row in model):
        raise SystemExit("the store writes its rows in another form than fill_store.py expects")
    insert = f"INSERT INTO Cache ({columns}) VALUES ({', '.join('?' * len(names))})"
    rows.execute("BEGIN")
    for number in range(2, count + 1):
        uri = f"{beginning}{number:07d}"
        entry = replace(first, id=uuid.uuid4().hex, key=key_of_uri(uri), target=_target(uri))
        encoded = _encoded(entry)
        rows.executemany(insert, [_copy(row, first, written, entry, encoded) for row in model])
    rows.execute("COMMIT")
    rows.execute("PRAGMA journal_mode = WAL")
    rows.close()
    # it knows of none of the copies; a store that finds none makes it anew
    (directory / GENERATIONS).unlink()
    os.sync()  # that the system writes it is not what is measured next


def _copy(row: Row, first: StoredResponse, written: bytes, entry: StoredResponse, encoded: bytes) -> Row:
    """The row of another entry: its key and id in every text, itself where the first one is written."""
    return tuple(
        value.replace(first.key, entry.key).replace(first.id, entry.id)
        if isinstance(value, str)
        else (encoded if value == written else value)
        for value in row
    )


def _encoded(entry: StoredResponse) -> bytes:
    """What the store writes of all under a key."""
    return encode_row([encode(entry)])


def _target(uri: str) -> str:
    return "/" + uri.split("/", 3)[3]


def _store(directory: Path, uri: str) -> StoredResponse:
    """Store one response and return it."""
    store = DiskStore(directory, max_size=64 << 30)
    now = time.time()
    fields = (
        ("Server", "nginx"),
        ("Date", formatdate(now, usegmt=True)),
        ("Content-Type", "application/octet-stream"),
        ("Content-Length", str(len(BODY))),
        ("Last-Modified", "Tue, 24 Nov 2026 23:45:20 GMT"),
        ("ETag", '"6b062190-400"'),
        ("Cache-Control", "max-age=86400"),
        ("Accept-Ranges", "bytes"),
    )
    entry = StoredResponse(
        id=uuid.uuid4().hex,
        key=key_of_uri(uri),
        method="GET",
        target=_target(uri),
        head=Response(200, "OK", Fields(fields)),
        request_time=now,
        response_time=now,
        stored_at=now,
    )
    writer = store.writer()
    writer.write(BODY)
    stored = writer.commit(entry)
    store.close()
    return stored


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
