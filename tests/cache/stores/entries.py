"""Entries and bodies for the store tests. Each part of a body shows its entry and its position."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from cache.http.messages import Fields, Response
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore

KEY = "http://a.example/"


def new_entry(key: str = KEY, **changes: Any) -> StoredResponse:
    """Return an entry as the engine gives it to a store. Its Vary values are unique, so it supersedes no other."""
    fields = Fields((("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("set-cookie", "b=\xe9"), ("X-Key", key)))
    given: dict[str, Any] = {
        "id": secrets.token_hex(16),
        "key": key,
        "method": "GET",
        "target": key,
        "head": Response(200, "OK", fields),
        "request_time": 1000.25,
        "response_time": 1000.5,
        "stored_at": 1001.0,
        "vary": (("accept-language", secrets.token_hex(4)), ("cookie", None)),
    }
    return StoredResponse(**{**given, **changes})


def body_of(entry_id: str, length: int) -> bytes:
    """Return a body for an id: each KiB repeats a line with the id and the number of the KiB."""
    blocks = (f"{entry_id[:16]} {number:014}\n" * 32 for number in range(length // 1024 + 1))
    return "".join(blocks).encode()[:length]


def put(
    store: ResponseStore, entry: StoredResponse, length: int = 100, replaces: tuple[str, ...] = ()
) -> StoredResponse:
    """Write the body of an entry in chunks. Return the entry as stored."""
    body = body_of(entry.id, length)
    writer = store.writer()
    try:
        for start in range(0, length, 50_000):
            writer.write(body[start : start + 50_000])
        return writer.commit(entry, replaces)
    finally:
        writer.abort()


def read(store: ResponseStore, entry: StoredResponse) -> bytes:
    """Return the whole body of an entry."""
    body = store.open(entry)
    try:
        assert body.length == entry.length
        return body.read(0, body.length)
    finally:
        body.close()


def is_intact(store: ResponseStore, entry: StoredResponse) -> bool:
    """Return whether the body of an entry is the one that was stored with it, byte for byte."""
    return read(store, entry) == body_of(entry.id, entry.length)


def files_below(directory: Path) -> set[str]:
    """Return the body files and spool files in a store's directory."""
    return {
        path.relative_to(directory).as_posix() for path in [*directory.glob("bodies/*/*"), *directory.glob("spool/*")]
    }
