"""Digests that an origin gives of its representation (RFC 9530)."""

from __future__ import annotations

from cache.http.structured_fields import dictionary
from cache.rules.stored_response import StoredResponse


def is_contradicted(entry: StoredResponse) -> bool:
    """Tell whether a whole stored response is not what its Repr-Digest says; SHA-256 alone is compared.

    What is stored is the representation with its content coding, which is what the digest is of (RFC 9530 §3).
    """
    value = entry.head.fields.get("repr-digest")
    if value is None or entry.complete_length is not None or entry.head.status != 200 or entry.method == "HEAD":
        return False
    given = (dictionary(value) or {}).get("sha-256")
    return isinstance(given, tuple) and isinstance(given[0], bytes) and given[0].hex() != entry.sha256
