"""Vary: the fields that it nominates, and the comparison of their values (RFC 9111 §4.1)."""

from __future__ import annotations

import pytest

from cache.http.messages import Fields
from cache.policy.cache_policy import CachePolicy, KeyPolicy
from cache.rules.vary import comparable_value, nominated_fields


@pytest.mark.row("KEY-21", "PARSE-14")
@pytest.mark.parametrize("vary", ["*", "a, *", "Via", "Connection", "te", "b c", "Proxy-Authorization"])
def test_a_vary_that_no_request_matches(vary: str) -> None:
    assert nominated_fields(Fields((("Vary", vary),))) is None


@pytest.mark.parametrize("vary", ["&authorization", "a, &Scope", "&search", "Referring-Site"])
def test_an_origin_cannot_name_what_copies_are_kept_apart_by_here(vary: str) -> None:
    assert nominated_fields(Fields((("Vary", vary),))) is None


@pytest.mark.row("KEY-15", "KEY-16", "KEY-17")
@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("accept", "text/html;Q=1, a/b", "text/html ,A/b", True),
        ("accept", "a/b;q=0.50", "a/b;q=0.5", True),
        ("accept", "a/b;q=0.5", "a/b;q=0.6", False),
        ("accept", "a/b;x=Y", "a/b;x=y", False),
        ("accept", "a/b, c/d", "c/d, a/b", False),
        ("accept-encoding", "GZIP", "gzip", True),
        ("accept-language", "en, de", "de, en", False),
        ("x-own", "A ,b", "A,b", True),
        ("x-own", "A", "a", False),
        ("user-agent", " a , b", "a , b", True),
        ("user-agent", "a , b", "a,b", False),
    ],
)
def test_values_of_request_fields_are_compared_after_normalisation(name: str, one: str, other: str, same: bool) -> None:
    policy = CachePolicy()
    assert (
        comparable_value(Fields(((name, one),)), name, policy)
        == comparable_value(Fields(((name, other),)), name, policy)
    ) is same


@pytest.mark.row("KEY-17")
def test_only_the_order_of_languages_may_be_ignored() -> None:
    policy = CachePolicy(keying=KeyPolicy(vary_language_order=False))
    for name, same in (("accept-language", True), ("accept", False), ("accept-encoding", False)):
        values = [comparable_value(Fields(((name, value),)), name, policy) for value in ("a, b", "b, a")]
        assert (values[0] == values[1]) is same
