"""Secrets taken out of JSON before it is stored. The client has what the origin sent, the store what is left of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from hashlib import sha256

from addon.pipeline.content_codings import uncoded
from addon.pipeline.json_scrubbing import may_contain, without_values
from cache.rules.digests import is_contradicted
from cache.rules.secrets import MAX_SCRUBBED, other_entry
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore, StoreError


class Unscrubbable(StoreError):
    """Content that says it is JSON and cannot be read, so that nobody knows what is in it."""


def left_of(content: bytes, codings: str | None, names: Collection[str], limit: int) -> tuple[bytes, int] | None:
    """Return JSON less its codings and the values under lower-case names, and how many there were; None if none.

    Raises:
        Unscrubbable: it cannot be read, or is more than `limit` octets without its codings.
    """
    try:
        octets = uncoded(content, codings, limit)
        if len(octets) > limit:
            raise Unscrubbable(f"says it is JSON and is more than {limit} octets")
        encoding = json.detect_encoding(octets)
        text = octets.decode(encoding)
        if not may_contain(text, names):
            return None
        text, count = without_values(text, names)
    except ValueError as error:  # a CodingError is one
        raise Unscrubbable(f"says it is JSON and cannot be read: {error}") from None
    return (text.encode(encoding), count) if count else None


def scrubbed(entry: StoredResponse, content: bytes, names: Collection[str]) -> tuple[StoredResponse, bytes]:
    """Return a whole JSON response as it may be stored; the same where it has none of these members.

    Raises:
        Unscrubbable: nobody knows whether it has.
    """
    codings = entry.head.fields.get("content-encoding")
    found = left_of(content, codings, names, MAX_SCRUBBED) if content else None
    if found is None:
        return entry, content
    octets, _ = found
    return other_entry(entry, len(octets), sha256(octets).hexdigest()), octets


class ScrubbingWriter:
    """A body that is held in memory until it is whole: what the origin sent of it never reaches the store."""

    def __init__(self, store: ResponseStore, names: Collection[str]) -> None:
        self._store = store
        self._names = names
        self._held = bytearray()

    def write(self, chunk: bytes) -> None:
        """Append octets. Raises Unscrubbable if they are too many."""
        if len(self._held) + len(chunk) > MAX_SCRUBBED:
            raise Unscrubbable(f"says it is JSON and is more than {MAX_SCRUBBED} octets")
        self._held += chunk

    def read(self, start: int, stop: int) -> bytes:
        """Return octets as they were written. Raises StoreError if they were let go."""
        if stop > len(self._held):
            raise StoreError("what was held of a body is gone")
        return bytes(self._held[start:stop])

    def commit(self, entry: StoredResponse, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store what is left; return the entry as it is stored. Raises StoreError if it was not."""
        content = bytes(self._held)
        received = entry.with_body(len(content), sha256(content).hexdigest())
        if is_contradicted(received):
            return received  # the caller sees that too; it must not be hidden by what is taken out
        entry, content = scrubbed(received, content, self._names)
        writer = self._store.writer()
        try:
            writer.write(content)
            return writer.commit(entry, replaces)
        finally:
            writer.abort()

    def abort(self) -> None:
        """Let go of the octets; what was stored stays."""
        self._held = bytearray()
