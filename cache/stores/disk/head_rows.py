"""Read head rows: all entries under one primary key."""

from __future__ import annotations

from cache.stores.codec import CodecError
from cache.stores.disk.bytes_disk import RowError
from cache.stores.disk.rows import Rows
from cache.stores.encoded_entries import Encoded, decoded
from cache.stores.purges import KnownPurges


def variants_in(rows: Rows, key: str, purges: KnownPurges) -> list[Encoded] | None:
    """Return the entries under a key, most recently stored first, or None if their row is damaged."""
    try:
        found = rows.head(key)
        return decoded(*found, key, purges) if found is not None else []
    except (RowError, CodecError):
        return None
