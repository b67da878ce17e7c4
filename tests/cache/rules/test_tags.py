"""Cache tags in the fields of responses, and by rules of sites."""

from __future__ import annotations

import pytest

from addon.config.settings import Settings
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.tags import MAX_TAG, MAX_TAGS, has_too_many, names_in, tags_of_response

POLICY = CachePolicy()
TARGET = "https://a.example/blog/1"


def tags(*lines: tuple[str, str], policy: CachePolicy = POLICY, status: int = 200) -> list[str]:
    found = tags_of_response(TARGET, Response(status, "OK", Fields(lines)), policy)
    return found.split("\n") if found else []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([("Cache-Tag", "a, b,c")], ["a", "b", "c"]),
        ([("Surrogate-Key", "a b  c")], ["a", "b", "c"]),
        ([("xkey", "a"), ("XKEY", "b a")], ["a", "b"]),
        ([("Edge-Cache-Tag", "a,b")], ["a", "b"]),
        ([("Cache-Groups", '"a group", "b"')], ["a group", "b"]),
        ([("Cache-Groups", "not, strings")], []),
        ([("X-Cache-Tags", "a"), ("Surrogate-Key", "b"), ("Cache-Groups", '"c"')], ["b", "a", "c"]),
        ([("X-Tags", "a"), ("Cache-Tag", " , ")], []),
    ],
)
def test_the_tags_of_all_fields_count(lines: list[tuple[str, str]], expected: list[str]) -> None:
    assert tags(*lines) == expected


def test_the_fields_are_a_setting() -> None:
    policy = Settings.model_validate({"purge": {"tag_fields": ["X-Tags"]}}).policy()
    assert tags(("X-Tags", "a b"), ("Cache-Tag", "c"), policy=policy) == ["a", "b"]


def test_a_rule_of_the_site_adds_tags() -> None:
    rules = [
        {"path": "/blog/*", "tags": ["blog"]},
        {"content_type": "image/*", "tags": ["images"]},
        {"status": 404, "tags": ["missing"]},
    ]
    site = {"hosts": ["a.example"], "origins": ["http://127.0.0.1:1"], "rules": rules}
    policy = Settings.model_validate({"site": [site]}).policy()
    assert tags(("Cache-Tag", "a"), policy=policy) == ["a", "blog"]
    del rules[0]
    policy = Settings.model_validate({"site": [site]}).policy()
    assert tags(("Content-Type", "image/png"), policy=policy) == ["images"]
    assert tags(policy=policy, status=404) == ["missing"]
    assert tags(policy=policy) == []


@pytest.mark.parametrize("tag", ["a b", "a,b", "", "x" * (MAX_TAG + 1)])
def test_a_rule_with_something_else_than_tags_is_refused(tag: str) -> None:
    site = {"hosts": ["a.example"], "origins": ["http://127.0.0.1:1"], "rules": [{"tags": [tag]}]}
    with pytest.raises(ValueError, match="cache tags"):
        Settings.model_validate({"site": [site]})


@pytest.mark.parametrize(
    ("value", "too_many"),
    [
        (" ".join(map(str, range(MAX_TAGS))), False),
        (" ".join(map(str, range(MAX_TAGS + 1))), True),
        ("x" * MAX_TAG, False),
        ("x" * (MAX_TAG + 1), True),
    ],
    ids=["many", "too many", "long", "too long"],
)
def test_a_response_with_too_many_tags_is_not_stored(value: str, too_many: bool) -> None:
    assert has_too_many(Fields((("Surrogate-Key", value),)), CachePolicy()) is too_many


def test_names_are_separated_by_commas_and_spaces() -> None:
    assert names_in(" a,b  c\t,a") == ("a", "b", "c")
