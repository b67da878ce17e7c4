"""The digests that lock files give, in the forms in which they write them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping

from addon.offline.wanted import DIGEST_ALGORITHMS, Digest


def from_prefixed(text: object) -> Digest | None:
    """Return the digest of a text like `sha256:0123abcd`; None if there is none."""
    algorithm, colon, value = text.partition(":") if isinstance(text, str) else ("", "", "")
    return Digest(algorithm, value.lower()) if colon else None


def from_hashes(hashes: Mapping[str, str]) -> Digest | None:
    """Return the strongest digest of a table from algorithm to hexadecimal value; None if none is known."""
    known = ((name, hashes[name]) for name in DIGEST_ALGORITHMS if hashes.get(name))
    name, value = next(known, ("", ""))
    return Digest(name, value.lower()) if value else None


def from_integrity(integrity: object) -> Digest | None:
    """Return the strongest digest of a text like `sha512-…` (Subresource Integrity); None if none can be read."""
    digests = dict(part.partition("-")[::2] for part in integrity.split()) if isinstance(integrity, str) else {}
    for algorithm in DIGEST_ALGORITHMS:
        if algorithm in digests:
            try:
                return Digest(algorithm, b64decode(digests[algorithm].partition("?")[0], validate=True).hex())
            except ValueError:  # no Base64, or not even ASCII
                return None
    return None
