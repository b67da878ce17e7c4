"""The methods that an edge forwards."""

from __future__ import annotations

import pytest

from cache.policy.reasons import Refused
from cache.rules.methods import ALLOW, reason_to_refuse


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PATCH", "QUERY", "PROPFIND", "MKCOL", "REPORT", "VERSION-CONTROL", "M-SEARCH"]
)
def test_registered_methods_are_forwarded(method: str) -> None:
    assert reason_to_refuse(method) is None
    assert method in ALLOW.split(", ")


@pytest.mark.parametrize("method", ["REFRESH", "get", "PURGEALL", "PRI"])
def test_other_methods_are_not(method: str) -> None:
    assert reason_to_refuse(method) is Refused.METHOD


@pytest.mark.parametrize("method", ["PURGE", "BAN", "PURGEKEYS"])
def test_purges_have_a_reason_of_their_own(method: str) -> None:
    assert reason_to_refuse(method) is Refused.PURGE
