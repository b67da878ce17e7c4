"""Repr-Digest is compared with the stored body (RFC 9530 §3)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from cache.rules.digests import is_contradicted
from cache.rules.stored_response import StoredResponse
from tests.cache.examples import stored

RIGHT = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"  # of "hello"
WRONG = "sha-256=:rkSKyGxOjk3sZFcpcI70GHOuecbf+E7/czYJiUh/COU=:"


def with_digests(*lines: str, status: int = 200) -> StoredResponse:
    """Return a stored response with the content `hello` and these lines of Repr-Digest."""
    fields = [("Repr-Digest", line) for line in lines]
    return stored(*fields, status=status, sha256=sha256(b"hello").hexdigest())


@pytest.mark.row("RANGE-22")
@pytest.mark.parametrize(
    ("lines", "contradicted"),
    [
        ((RIGHT,), False),
        ((WRONG,), True),
        (("sha-512=:AAAA:", WRONG), True),
        (("sha-512=:AAAA:",), False),
        (('sha-256="not bytes"',), False),
        (("sha-256=(:AAAA:)",), False),
        (("sha-256=:not base64",), False),
        (("",), False),
        ((), False),
    ],
)
def test_only_a_digest_that_can_be_compared_contradicts(lines: tuple[str, ...], contradicted: bool) -> None:
    assert is_contradicted(with_digests(*lines)) is contradicted


@pytest.mark.row("RANGE-22")
def test_only_the_whole_content_of_a_200_to_get_is_compared() -> None:
    assert not is_contradicted(replace(with_digests(WRONG), complete_length=10))
    assert not is_contradicted(replace(with_digests(WRONG), method="HEAD"))
    assert not is_contradicted(with_digests(WRONG, status=404))
