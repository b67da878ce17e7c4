"""Repr-Digest against what is stored (RFC 9530 §3)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from cache.http.messages import Fields, Response
from cache.rules.digests import is_contradicted
from cache.rules.stored_response import StoredResponse

RIGHT = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"  # of "hello"
WRONG = "sha-256=:rkSKyGxOjk3sZFcpcI70GHOuecbf+E7/czYJiUh/COU=:"
DIGEST = sha256(b"hello").hexdigest()


def stored(*lines: str, status: int = 200) -> StoredResponse:
    fields = Fields(tuple(("Repr-Digest", line) for line in lines))
    return StoredResponse("0" * 32, "", "GET", "", Response(status, "", fields), 0.0, 0.0, 0.0, sha256=DIGEST)


@pytest.mark.row("RANGE-22")
@pytest.mark.parametrize(
    ("lines", "contradicted"),
    [
        ((RIGHT,), False),
        ((WRONG,), True),
        (("sha-512=:AAAA:", WRONG), True),
        (("sha-512=:AAAA:",), False),
        (('sha-256="not octets"',), False),
        (("sha-256=(:AAAA:)",), False),
        (("sha-256=:not base64",), False),
        (("",), False),
        ((), False),
    ],
)
def test_only_a_digest_that_can_be_compared_contradicts(lines: tuple[str, ...], contradicted: bool) -> None:
    assert is_contradicted(stored(*lines)) is contradicted


@pytest.mark.row("RANGE-22")
def test_a_digest_is_of_the_whole_content_of_a_200_to_get() -> None:
    assert not is_contradicted(replace(stored(WRONG), complete_length=10))
    assert not is_contradicted(replace(stored(WRONG), method="HEAD"))
    assert not is_contradicted(stored(WRONG, status=404))
