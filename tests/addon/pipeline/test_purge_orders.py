"""Orders to purge in the form of JSON, as scopes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from addon.config.settings import Settings
from addon.pipeline.purge_orders import PurgeOrder, order_of
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import QueryRule, glob
from tests.fixtures.stored_entries import new_entry

SITES = [["example.org", "*.example.org"], ["static.example.org", "[::1]"], ["*"]]
URLS = {
    "https://example.org/": "",
    "https://example.org/blog/1?x=1": "news",
    "http://example.org:8080/blog/2": "news\nold",
    "https://example.org.evil/blog/1": "",
    "https://www.example.org/Blog/1": "",
    "https://static.example.org/a.png": "",
    "https://other.example/blog/1": "",
}


def order(**arguments: object) -> PurgeOrder:
    return order_of(arguments, CachePolicy(), SITES)


def purged(given: PurgeOrder) -> set[str]:
    entries = [new_entry(url, tags=tags) for url, tags in URLS.items()]
    return {entry.key for entry in entries if any(scope.covers(entry) for scope in given.scopes)}


@pytest.mark.parametrize(
    ("arguments", "covered"),
    [
        ({"url": "https://EXAMPLE.org/%62log/1?x=1"}, {"https://example.org/blog/1?x=1"}),
        ({"prefix": "https://Example.org/blog/"}, {"https://example.org/blog/1?x=1"}),
        ({"prefix": "https://example.org"}, {"https://example.org/", "https://example.org/blog/1?x=1"}),
        ({"prefix": "example.org/blog"}, {"https://example.org/blog/1?x=1", "http://example.org:8080/blog/2"}),
        ({"prefix": "/Blog/"}, {"https://www.example.org/Blog/1"}),
        ({"pattern": "https://*.ORG/*/1?x=[0-9]"}, {"https://example.org/blog/1?x=1"} - {"https://*.ORG"}),
        ({"pattern": "*.png"}, {"https://static.example.org/a.png"}),
        ({"pattern": "/blog/?"}, {"http://example.org:8080/blog/2", *{u for u in URLS if u.endswith("/blog/1")}}),
        ({"host": "Static.Example.org."}, {"https://static.example.org/a.png"}),
        ({"host": "example.org"}, {u for u in URLS if "/example.org/" in u or ":8080" in u}),
        ({"host": "Example.org:8080"}, {"http://example.org:8080/blog/2"}),
        ({"host": "example.org:443"}, {"https://example.org/", "https://example.org/blog/1?x=1"}),
        ({"host": "example.org:80"}, set()),
        ({"site": "static.example.org"}, {"https://static.example.org/a.png"}),
        ({"site": "example.org"}, {u for u in URLS if "/example.org/" in u or ":8080" in u or "www." in u}),
        ({"site": "*"}, {"https://example.org.evil/blog/1", "https://other.example/blog/1"}),
        ({"tag": "old"}, {"http://example.org:8080/blog/2"}),
        ({"tags": ["old", "none"]}, {"http://example.org:8080/blog/2"}),
        ({"all": True}, set(URLS)),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_an_order_covers_what_it_names(arguments: dict[str, object], covered: set[str]) -> None:
    assert purged(order(**arguments)) == covered
    assert not order(**arguments, soft=False).soft
    softly = order(**arguments, soft=True)
    assert all(scope.soft for scope in softly.scopes)
    assert purged(softly) == covered


def test_an_order_says_who_has_given_it_and_what_it_is() -> None:
    given = order(tags=["a", "b"], by="the user root", dry_run=True)
    assert (given.by, given.what, given.dry_run) == ("the user root", "tags a, b", True)
    assert order(all=True).what == "all"


GO = "https://example.org/go?u=http://X.example/"
SPELLED = {
    "https://example.org/Fetch?u=http://x": [
        {"prefix": "https://example.org/Fetch?u=http://x"},
        {"prefix": "HTTPS://example.org:443/Fetch"},
        {"prefix": "https://example.org./Fetch"},
        {"prefix": "example.org:443/Fetch"},
        {"prefix": "example.org./%46etch"},
        {"prefix": "/%46etch"},
        {"pattern": "https://Example.org:443/Fetch*"},
        {"pattern": "https://*.ORG./%46etch*"},
        {"pattern": "*://example.org/Fetch*"},
        {"pattern": "*/Fetch?u=http://x"},
        {"pattern": "/%46etch*"},
    ],
    GO: [{"prefix": "example.org/go?u=http://X"}, {"pattern": f"*{GO[8:]}"}, {"pattern": GO}],
    "http://localhost:8080/a": [{"prefix": "localhost:8080/a"}, {"prefix": "LOCALHOST/a"}, {"host": "localhost"}],
    "http://[::1]:8080/a": [{"prefix": "[::1]:8080/"}, {"prefix": "[::1]/a"}, {"host": "::1"}, {"host": "[::1]:8080"}],
    "https://a.example/%C3%A9t%C3%A9?x=%C3%A9": [
        {"prefix": "/é"},
        {"prefix": "a.example/ét"},
        {"prefix": "https://a.example/%c3%a9"},
        {"pattern": "/é*"},
        {"pattern": "https://a.example/é*=é"},
    ],
    "https://xn--bcher-kva.example/a": [
        {"prefix": "https://bücher.example/"},
        {"prefix": "bücher.example/a"},
        {"pattern": "https://bücher.example/*"},
        {"host": "bücher.example"},
    ],
}


@pytest.mark.parametrize(
    ("key", "arguments"), [(key, each) for key, all_of_it in SPELLED.items() for each in all_of_it], ids=str
)
def test_an_order_may_be_spelled_like_a_url(key: str, arguments: dict[str, object]) -> None:
    given = order(**arguments)
    entries = [new_entry(each) for each in SPELLED]
    assert [entry.key for entry in entries if any(scope.covers(entry) for scope in given.scopes)] == [key]


@pytest.mark.parametrize(
    "arguments",
    [
        {"host": "example.org:"},
        {"host": "[::1]:"},
        {"host": "example.org:65536"},
        {"host": "example.org:443/"},
        {"host": "https://example.org"},
        {"host": "example.org/"},
        {"host": "*.example.org"},
        {"prefix": "ftp://example.org/"},
        {"prefix": "https:///a"},
        {"pattern": "example.org/*"},
        {"pattern": "localhost:8080/*"},
        {},
        {"path": "/"},
        {"url": "https://a.example/", "all": True},
        {"url": "/a"},
        {"url": 1},
        {"all": "yes"},
        {"tag": ""},
        {"tags": []},
        {"tags": "a"},
        {"tag": "x" * 1025},
        {"tags": [str(number) for number in range(1001)]},
        {"site": "unknown.example"},
        {"host": ""},
    ],
    ids=str,
)
def test_any_other_order_is_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        order(**arguments)


def test_a_url_is_purged_under_the_key_that_rules_of_its_site_make() -> None:
    rules = [{"query": {"drop": ["utm_*"], "sort": True}}]
    site = {"hosts": ["a.example"], "origins": ["http://127.0.0.1:1"], "rules": rules}
    policy = Settings.model_validate({"site": [site]}).policy()
    given = order_of({"url": "http://a.example/?b=1&utm_source=x&a=2"}, policy, [])
    assert [scope.key for scope in given.scopes] == ["http://a.example/?a=2&b=1"]


def test_a_url_is_purged_without_the_parameters_that_its_key_does_not_have() -> None:
    rule = QueryRule(glob("*"), glob("*"), (glob("X-Amz-*"),))
    policy = replace(CachePolicy(), keying=replace(CachePolicy().keying, query_rules=(rule,)))
    given = order_of({"url": "https://s3.example/a?v=1&X-Amz-Signature=x"}, policy, [])
    assert [scope.key for scope in given.scopes] == ["https://s3.example/a?v=1"]
