"""Fills a store. A program of its own: the Python of the measured secondhand runs it.

Arguments: the store's directory, the number of responses, the bytes of a body, and the start of their URLs, to which
seven digits are appended, from 0000001 on.

The store's own code stores the first response. All others are copies of its database rows, since to store ten million
responses one by one would take hours. In the end the last copy is read by the store's own code, as a check.
"""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from hashlib import blake2b
from pathlib import Path

from cache.http.messages import Fields, Response
from cache.rules.key import key_of_uri
from cache.rules.stored_response import StoredResponse
from cache.stores.codec import decode_row, encode_row
from cache.stores.disk.generation_file import FILE as GENERATIONS
from cache.stores.disk.store import DiskStore

DIGITS = 7
"""Digits of the number at the end of each URL."""

CHECKSUM = slice(1, 17)
"""The place of the checksum in an encoded entry (cache/stores/codec.py)."""

type Row = list[str | bytes | int | float | None]


def main(directory: Path, count: int, body: bytes, url_start: str) -> None:
    """Store `count` responses."""
    first = _store_one(directory, _url(url_start, 1), body)
    database = sqlite3.connect(directory / "cache.db", isolation_level=None)
    # one writer, and no need to survive a crash; the cache is for the sorting of the indexes
    for pragma in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -500000", "threads = 2"):
        database.execute(f"PRAGMA {pragma}")
    names = [name for _, name, *_ in database.execute("PRAGMA table_info(Cache)") if name != "rowid"]
    columns = ", ".join(names)
    rows: list[Row] = [list(row) for row in database.execute(f"SELECT {columns} FROM Cache ORDER BY rowid")]
    database.execute("BEGIN")
    with _indexes_made_last(database):
        database.executemany(
            f"INSERT INTO Cache ({columns}) VALUES ({', '.join('?' * len(names))})",
            _copies(rows, first, count),
        )
    database.execute("COMMIT")
    database.execute("PRAGMA journal_mode = WAL")
    database.close()
    # the table of generations does not have the copies; the store makes a new table if the file is missing
    (directory / GENERATIONS).unlink()
    _check(directory, _url(url_start, count), body)
    os.sync()  # so that the kernel does not write all this during the measurement


@contextmanager
def _indexes_made_last(database: sqlite3.Connection) -> Iterator[None]:
    """Drop the indexes until the block ends: to sort all keys once is faster than to insert each at its place."""
    indexes = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '% Cache%(%'")
    statements = dict(indexes.fetchall())
    for name in statements:
        database.execute(f"DROP INDEX {name}")
    yield
    for statement in statements.values():
        database.execute(statement)


class RowTemplate:
    """A row of the first response, from which those of the others are made; they differ in id and key only."""

    def __init__(self, row: Row, first: StoredResponse) -> None:
        self._row = row
        names = re.compile("|".join(map(re.escape, (first.key, first.id))))
        self._texts = {
            place: re.split(f"({names.pattern})", value) for place, value in enumerate(row) if isinstance(value, str)
        }
        self._entry: list[bytes] = []
        for place, value in enumerate(row):
            if isinstance(value, bytes) and first.id.encode() in value:
                (encoded,) = decode_row(value)
                self._place_of_entry, self._version = place, encoded[: CHECKSUM.start]
                self._entry = re.split(b"(%b)" % names.pattern.encode(), encoded[CHECKSUM.stop :])

    def filled(self, changes: Mapping[str, str], encoded_changes: Mapping[bytes, bytes]) -> Row:
        """Return the row of another response: `changes` are its id and key by those of the first one."""
        row = list(self._row)
        for place, texts in self._texts.items():
            row[place] = "".join([changes.get(text, text) for text in texts])
        if self._entry:
            record = b"".join([encoded_changes.get(part, part) for part in self._entry])
            row[self._place_of_entry] = encode_row([self._version + blake2b(record, digest_size=16).digest() + record])
        return row


def _copies(first_rows: list[Row], first: StoredResponse, count: int) -> Iterator[Row]:
    """Iterate over the rows of all responses but the first one."""
    templates = [RowTemplate(row, first) for row in first_rows]
    start = first.key[:-DIGITS]
    for number in range(2, count + 1):
        changes = {first.id: os.urandom(16).hex(), first.key: _url(start, number)}
        encoded_changes = {old.encode(): new.encode() for old, new in changes.items()}
        for template in templates:
            yield template.filled(changes, encoded_changes)


def _check(directory: Path, url: str, body: bytes) -> None:
    """Read a copy by the store's own code. Raises SystemExit if that does not find it."""
    store = DiskStore(directory, max_size=64 << 30)
    copies = store.candidates(key_of_uri(url))
    if [(each.target, store.open(each).read(0, len(body))) for each in copies] != [(url, body)]:
        raise SystemExit("the store writes its rows in another form than fill_store.py expects")
    store.close()


def _url(start: str, number: int) -> str:
    return f"{start}{number:0{DIGITS}d}"


def _store_one(directory: Path, uri: str, body: bytes) -> StoredResponse:
    """Store one response and return it."""
    store = DiskStore(directory, max_size=64 << 30)
    now = time.time()
    fields = (
        ("Server", "nginx"),
        ("Date", formatdate(now, usegmt=True)),
        ("Content-Type", "application/octet-stream"),
        ("Content-Length", str(len(body))),
        ("Last-Modified", "Tue, 24 Nov 2026 23:45:20 GMT"),
        ("ETag", '"6b062190-400"'),
        ("Cache-Control", "max-age=86400"),
        ("Accept-Ranges", "bytes"),
    )
    entry = StoredResponse(
        id=uuid.uuid4().hex,
        key=key_of_uri(uri),
        method="GET",
        target=uri,
        head=Response(200, "OK", Fields(fields)),
        request_time=now,
        response_time=now,
        stored_at=now,
    )
    writer = store.writer()
    writer.write(body)
    stored = writer.commit(entry)
    store.close()
    return stored


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), bytes(range(256)) * (int(sys.argv[3]) // 256), sys.argv[4])
