"""Regular expressions of purge clients as shell patterns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from addon.frontend.gateway.simple_regex import (
    MAX_LENGTH,
    MAX_PATTERNS,
    UnsupportedPattern,
    member_patterns_of,
    patterns_of,
)
from cache.stores.purge_scopes import Conditions, where
from tests.fixtures.stored_entries import new_entry


@pytest.mark.parametrize(
    ("expression", "patterns"),
    [
        ("^/blog/.*", ("/blog/*",)),
        ("/blog/.*", ("*/blog/*",)),
        ("^(a\\.example|www\\.a\\.example)$", ("a.example", "www.a.example")),
        (".*", ("*",)),
        (".+", ("*?*",)),
        ("^a?b$", ("ab", "b")),
        ("^/x\\?y=[0-9a-f]$", ("/x[?]y=[0-9a-f]",)),
        ("^[^/]\\d$", ("[!/][0-9]",)),
        ("^(?:a|b)(c|)$", ("ac", "a", "bc", "b")),
        ("^/a.*?b$", ("/a*b",)),
    ],
)
def test_an_expression_is_a_list_of_patterns(expression: str, patterns: tuple[str, ...]) -> None:
    assert patterns_of(expression) == patterns


@pytest.mark.parametrize(
    ("expression", "patterns"),
    [
        ("(^|,)(a|b)(,|$)", ("a", "b")),
        ("((^|,)cat_p_1(,|$))|((^|,)cat_p(,|$))", ("cat_p_1", "cat_p")),
        ("(^|\\,)/foo($|\\,)", ("/foo",)),
        ("news", ("*news*",)),
        ("^node:.*", ("node:*",)),
        (".*", ()),
    ],
)
def test_an_expression_for_a_list_is_about_its_members(expression: str, patterns: tuple[str, ...]) -> None:
    assert member_patterns_of(expression) == patterns


@pytest.mark.parametrize(
    "expression",
    ["(a+)+$", "a{3}", "\\bx", "(?=a)", "(?i)a", "[0-9]+", "x)", "(x", "[a", "*", "a\\", "a^b", "(" * 50 + ")" * 50],
)
def test_what_is_not_supported_is_refused(expression: str) -> None:
    with pytest.raises(UnsupportedPattern):
        patterns_of(expression)


@pytest.mark.parametrize(
    "expression", ["a" * (MAX_LENGTH + 1), "(a|b)" * 12, "|".join(["a" * 20] * (MAX_PATTERNS + 1))]
)
def test_what_is_too_large_is_refused(expression: str) -> None:
    with pytest.raises(UnsupportedPattern):
        patterns_of(expression)


def test_a_pattern_for_two_tags_at_once_is_refused() -> None:
    with pytest.raises(UnsupportedPattern, match="one tag"):
        member_patterns_of("a,b")


atoms = some.sampled_from(["a", "b", "/", "\\.", ".", ".*", "(a|b)", "b?", "[ab]", "(?:|b)"])


@given(some.lists(atoms, max_size=6), some.booleans(), some.booleans(), some.text("ab/.", max_size=6))
def test_patterns_match_what_the_expression_matches(parts: list[str], start: bool, end: bool, text: str) -> None:
    expression = ("^" if start else "") + "".join(parts) + ("$" if end else "")
    scope = where(Conditions(urls=patterns_of(expression)))
    assert scope.covers(new_entry(text)) == bool(re.search(expression.replace("$", r"\Z"), text))
