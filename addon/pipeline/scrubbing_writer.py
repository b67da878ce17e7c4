"""Removes secrets from JSON before it is stored. The client gets the origin's content unchanged."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from hashlib import sha256

from addon.pipeline.content_codings import decode_content
from addon.pipeline.json_scrubbing import may_contain, replace_values
from cache.rules.digests import is_contradicted
from cache.rules.secrets import MAX_SCRUBBED, scrubbed_entry
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore, StoreError


class ScrubbingError(StoreError):
    """Content that is declared as JSON and cannot be read, so it may hold a secret."""


def scrub_json(content: bytes, codings: str | None, names: Collection[str], limit: int) -> tuple[bytes, int] | None:
    """Return JSON without content codings and without the values of these members; None if it has no such member.

    Args:
        content: The JSON, with its content codings.
        codings: The value of Content-Encoding.
        names: The names of the members, in lower case.
        limit: The greatest length of the decoded content in bytes.

    Returns:
        The scrubbed content, and the number of replaced values.

    Raises:
        Unscrubbable: the content cannot be read, or exceeds the limit.
    """
    try:
        decoded = decode_content(content, codings, limit)
        if len(decoded) > limit:
            raise ScrubbingError(f"the JSON is longer than {limit} bytes")
        encoding = json.detect_encoding(decoded)
        text = decoded.decode(encoding)
        if not may_contain(text, names):
            return None
        text, count = replace_values(text, names)
    except ValueError as error:  # includes CodingError
        raise ScrubbingError(f"the JSON cannot be read: {error}") from None
    return (text.encode(encoding), count) if count else None


def scrubbed(entry: StoredResponse, content: bytes, names: Collection[str]) -> tuple[StoredResponse, bytes]:
    """Return a complete JSON response without the values of these members; unchanged if it has no such member.

    Raises:
        Unscrubbable: the content cannot be read, so it may hold a secret.
    """
    codings = entry.head.fields.get("content-encoding")
    result = scrub_json(content, codings, names, MAX_SCRUBBED) if content else None
    if result is None:
        return entry, content
    scrubbed_content, _ = result
    digest = sha256(scrubbed_content).hexdigest()
    return scrubbed_entry(entry, len(scrubbed_content), digest), scrubbed_content


class ScrubbingWriter:
    """A body writer that holds the whole body in memory, and writes to the store only the scrubbed body."""

    def __init__(self, store: ResponseStore, names: Collection[str]) -> None:
        self._store = store
        self._names = names
        self._body = bytearray()

    def write(self, chunk: bytes) -> None:
        """Append bytes. Raises Unscrubbable if the body becomes too long."""
        if len(self._body) + len(chunk) > MAX_SCRUBBED:
            raise ScrubbingError(f"the JSON is longer than {MAX_SCRUBBED} bytes")
        self._body += chunk

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes as they were written, not scrubbed. Raises StoreError after `abort`."""
        if stop > len(self._body):
            raise StoreError("the body is no longer in memory")
        return bytes(self._body[start:stop])

    def commit(self, entry: StoredResponse, replaces: Iterable[str] = ()) -> StoredResponse:
        """Store the scrubbed body, and return the entry as stored. Raises StoreError if nothing was stored."""
        content = bytes(self._body)
        received = entry.with_body(len(content), sha256(content).hexdigest())
        if is_contradicted(received):
            return received  # not stored: the caller finds the same mismatch, which scrubbing would hide
        entry, content = scrubbed(received, content, self._names)
        writer = self._store.writer()
        try:
            writer.write(content)
            return writer.commit(entry, replaces)
        finally:
            writer.abort()

    def abort(self) -> None:
        """Release the bytes in memory. A committed body stays stored."""
        self._body = bytearray()
