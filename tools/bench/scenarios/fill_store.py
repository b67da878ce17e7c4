"""Fills a store. A program of its own: the Python of the measured secondhand runs it.

Arguments: the store's directory, the number of responses, and the start of their URLs, to which seven digits are
appended, from 0000001 on.

The store's own code stores the first response. All others are copies of its database rows, since to store a million
responses one by one would take a quarter of an hour. If the rows are not in the expected form, nothing is copied.
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


def main(directory: Path, count: int, url_start: str) -> None:
    """Store `count` responses."""
    first = _store_one(directory, f"{url_start}{1:07d}")
    database = sqlite3.connect(directory / "cache.db", isolation_level=None)
    # keep everything in memory, and write it once
    for pragma in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -2000000"):
        database.execute(f"PRAGMA {pragma}")
    names = [name for _, name, *_ in database.execute("PRAGMA table_info(Cache)") if name != "rowid"]
    columns = ", ".join(names)
    first_rows: list[Row] = database.execute(f"SELECT {columns} FROM Cache").fetchall()
    first_encoded = _encoded(first)
    if not any(first_encoded in row for row in first_rows):
        raise SystemExit("the store writes its rows in another form than fill_store.py expects")
    insert = f"INSERT INTO Cache ({columns}) VALUES ({', '.join('?' * len(names))})"
    database.execute("BEGIN")
    for number in range(2, count + 1):
        uri = f"{url_start}{number:07d}"
        entry = replace(first, id=uuid.uuid4().hex, key=key_of_uri(uri), target=_target(uri))
        encoded = _encoded(entry)
        copies = (_copy(row, first, entry, old=first_encoded, new=encoded) for row in first_rows)
        database.executemany(insert, copies)
    database.execute("COMMIT")
    database.execute("PRAGMA journal_mode = WAL")
    database.close()
    # the table of generations does not have the copies; the store makes a new table if the file is missing
    (directory / GENERATIONS).unlink()
    os.sync()  # so that the kernel does not write all this during the measurement


def _copy(row: Row, first: StoredResponse, entry: StoredResponse, *, old: bytes, new: bytes) -> Row:
    """Return a row of the first response as a row of `entry`: key and id replaced in texts, `old` replaced by `new`."""
    return tuple(
        value.replace(first.key, entry.key).replace(first.id, entry.id)
        if isinstance(value, str)
        else (new if value == old else value)
        for value in row
    )


def _encoded(entry: StoredResponse) -> bytes:
    """Return the value that the store writes for a key with this one response."""
    return encode_row([encode(entry)])


def _target(uri: str) -> str:
    return "/" + uri.split("/", 3)[3]


def _store_one(directory: Path, uri: str) -> StoredResponse:
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
