"""Rules of a site: which of them are about a path, and which of them counts."""

from __future__ import annotations

from typing import Any

import pytest

from cache.policy.operator_rules import glob
from cache.policy.site_rules import MAX_PATHS, NO_EFFECTS, Effects, ResponseRule, SiteRule, SiteRules, path_of


def rule(name: str, path: str, **effects: Any) -> SiteRule:
    return SiteRule(name, (glob(path),), Effects(**effects), ResponseRule(name))


def test_the_first_rule_counts_that_matches_and_says_something() -> None:
    rules = SiteRules(
        [
            rule("a", "/admin/*", bypass=True),
            rule("b", "/admin/*", bypass=False, max_body=1),
            rule("c", "*", max_body=2, vary_cookie="lang"),
        ]
    )
    found = rules.effects("/admin/x?y")
    assert (found.bypass, found.max_body, found.vary_cookie) == (True, 1, "lang")
    assert found.names == ("a", "b", "c")
    assert [each.name for each in found.responses] == ["a", "b", "c"]
    assert rules.effects("/other").bypass is None


def test_no_matching_rule_says_nothing() -> None:
    assert SiteRules([rule("a", "/a", bypass=True)]).effects("/b") is NO_EFFECTS


def test_paths_with_the_same_rules_have_the_same_effects() -> None:
    rules = SiteRules([rule("a", "/a/*", bypass=True), rule("b", "*", max_body=2)])
    assert rules.effects("/a/1") is rules.effects("/a/2?b")
    assert rules.effects("/a/1") is not rules.effects("/b")


def test_remembered_paths_are_bounded() -> None:
    rules = SiteRules([rule("a", "*", bypass=True)])
    effects = {rules.effects(f"/{number}") for number in range(2 * MAX_PATHS + 1)}
    assert len(effects) == 1
    assert len(rules._by_path) <= MAX_PATHS


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/admin/x", "/admin/x"),
        ("/%61dmin/x", "/admin/x"),
        ("/%61%64min%2Fx", "/admin/x"),
        ("//admin///x", "/admin/x"),
        ("/public/../admin/x", "/admin/x"),
        ("/public/%2e%2E/admin/x", "/admin/x"),
        ("/public/..%2fadmin/x", "/admin/x"),
        ("/./admin/./x", "/admin/x"),
        ("/../../admin/x", "/admin/x"),
        ("/admin/x/..", "/admin/"),
        ("/admin/.", "/admin/"),
        ("/admin/...", "/admin/..."),
        ("/.well-known/x", "/.well-known/x"),
        ("/..", "/"),
        ("*", "*"),
        ("/a%", "/a%"),
        ("/%C3%BCber", "/über"),
        ("/\u00c3\u00bcber", "/über"),  # the same bytes without escapes, as heads are decoded
        ("/%FCber", "/über"),
    ],
)
def test_no_spelling_of_a_path_leads_past_a_rule(path: str, seen: str) -> None:
    assert path_of(path) == seen


def test_a_byte_that_is_no_utf_8_does_not_lead_past_a_rule_in_another_alphabet() -> None:
    rules = SiteRules([rule("a", "/über/*", bypass=True)])
    assert rules.effects("/%C3%BCber/%FF").bypass
    assert rules.effects("/%FCber/a").bypass  # Latin-1
    assert rules.effects("/%C3%BCber/%C3%FF").bypass
