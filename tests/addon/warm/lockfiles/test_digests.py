"""Digests in lock files: the strongest one is read, and damage is no error."""

from __future__ import annotations

import pytest

from addon.offline.wanted import Digest
from addon.warm.lockfiles.digests import from_integrity


def test_the_strongest_digest_is_read() -> None:
    assert from_integrity("sha1-AAAA sha512-AQID?option") == Digest("sha512", "010203")


@pytest.mark.parametrize("integrity", ["sha512-éAA==", "sha512-A", "sha512-*", "md4-AAAA", "", None])
def test_a_damaged_digest_is_none(integrity: object) -> None:
    assert from_integrity(integrity) is None
