"""Repr-Digest: the hash of a representation that the origin sends (RFC 9530)."""

from __future__ import annotations

from cache.http.structured_fields import dictionary
from cache.rules.stored_response import StoredResponse


def is_contradicted(entry: StoredResponse) -> bool:
    """Return whether the SHA-256 of a complete stored 200 differs from its Repr-Digest. Other algorithms are ignored.

    The body is stored with its content coding, and the digest is of the coded representation (RFC 9530 §3).
    """
    value = entry.head.fields.get("repr-digest")
    if value is None or entry.complete_length is not None or entry.head.status != 200 or entry.method == "HEAD":
        return False
    digest = (dictionary(value) or {}).get("sha-256")
    return isinstance(digest, tuple) and isinstance(digest[0], bytes) and digest[0].hex() != entry.sha256
