"""Requests to purge as the clients of other caches send them, and what they purge.

The requests are those of FOSHttpCache, Drupal, Magento, API Platform, Proxy Cache Purge (WordPress), Fastly and Souin.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from addon.frontend.gateway.purge_requests import is_purge, order_in
from addon.pipeline.purge_orders import PurgeOrder
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import QueryRule, glob
from tests.fixtures.stored_entries import new_entry

SITE = "http://shop.example"


def order(method: str, target: str = "/", **fields: str) -> PurgeOrder:
    lines = tuple((name.replace("_", "-"), value) for name, value in fields.items())
    request = Request(method, "http", "shop.example", 80, target, fields=Fields(lines))
    assert is_purge(method, target, request.fields.names())
    return order_in(request, [8080], CachePolicy(), "tests")


def purged(given: PurgeOrder) -> set[str]:
    """Return which of some stored responses an order covers."""
    stored = {
        "home": ("/", "text/html", "front"),
        "post": ("/blog/1", "text/html", "news\npost-1"),
        "post 10": ("/blog/10?x=1", "text/html", "post-10\nnode:10"),
        "image": ("/blog/1.png", "image/png", "news"),
        "other": ("http://www.shop.example/blog/1", "text/html", "/books/1"),
    }
    return {
        name
        for name, (url, kind, tags) in stored.items()
        for entry in [
            new_entry(
                url if url.startswith("http") else SITE + url,
                head=Response(200, "OK", Fields((("Content-Type", kind),))),
                tags=tags,
            )
        ]
        if any(scope.covers(entry) for scope in given.scopes)
    }


EVERYTHING = {"home", "post", "post 10", "image", "other"}
BAN = {"X_Host": ".*", "X_Url": ".*", "X_Content_Type": ".*"}
"""The fields that FOSHttpCache sends with each BAN."""


@pytest.mark.parametrize(
    ("given", "covered"),
    [
        # FOSHttpCache, Varnish client
        (order("PURGE", "/blog/1"), {"post"}),
        (order("BAN", **BAN), EVERYTHING),
        (order("BAN", **BAN | {"X_Url": "^/blog/.*"}), {"post", "post 10", "image", "other"}),
        (order("BAN", **BAN | {"X_Url": "/blog/.*", "X_Host": "^(shop.example)$"}), {"post", "post 10", "image"}),
        (order("BAN", **BAN | {"X_Content_Type": "image/.*"}), {"image"}),
        (order("BAN", **BAN | {"X_Cache_Tags": "(^|,)(news|front)(,|$)"}), {"home", "post", "image"}),
        (order("BAN", **BAN | {"X_Cache_Tags": "(post\\-1)(,.+)?$"}), {"post"}),
        (order("BAN", **BAN | {"X_Cache_Tags": "post-1.*"}), {"post", "post 10"}),
        (order("BAN", **BAN | {"X_Cache_Tags": "(^|,)(news)(,|$)", "X_Content_Type": "text/html"}), {"post"}),
        (order("PURGEKEYS", xkey_softpurge="news front"), {"home", "post", "image"}),
        (order("PURGETAGS", X_Cache_Tags="news,front"), {"home", "post", "image"}),
        (order("PURGE", "/", Clear_Cache="true"), EVERYTHING),
        # xkey of Varnish, API Platform
        (order("PURGE", "/", xkey="post-1"), {"post"}),
        (order("PURGE", "/", xkey="/books/1"), {"other"}),
        (order("BAN", "/", ApiPlatform_Ban_Regex="(/books/1|/books/2)($|\\,)"), {"other"}),
        (order("BAN", "/", ApiPlatform_Ban_Regex="((^|\\,)/books/1($|\\,))|((^|\\,)/books/2($|\\,))"), {"other"}),
        # Drupal
        (order("BAN", "/", Cache_Tags="node:10|node:11"), {"post 10"}),
        (order("BAN", "/.*blog.*"), {"post", "post 10", "image"}),
        (order("URIBAN", "/blog/1"), {"post", "post 10", "image"}),
        # Magento
        (order("PURGE", "/", X_Magento_Tags_Pattern="((^|,)news(,|$))|((^|,)front(,|$))"), {"home", "post", "image"}),
        (order("PURGE", "/", X_Magento_Tags_Pattern=".*"), EVERYTHING),
        # WordPress: Proxy Cache Purge, WP Rocket and others
        (order("PURGE", "/blog/1", X_Purge_Method="default"), {"post"}),
        (order("PURGE", "/.*", X_Purge_Method="regex"), {"home", "post", "post 10", "image"}),
        (order("PURGE", "/blog/.*", X_Purge_Method="regex"), {"post", "post 10", "image"}),
        (order("PURGE", "/.*?vhp-regex"), {"home", "post", "post 10", "image"}),
        (order("PURGE", "/blog/1*"), {"post", "post 10", "image"}),
        (order("PURGE", "/%62log/1*"), {"post", "post 10", "image"}),
        # Fastly
        (order("PURGE", "/blog/1", Fastly_Soft_Purge="1"), {"post"}),
        (order("POST", "/service/SU1Z/purge/news", Fastly_Key="k"), {"post", "image"}),
        (order("POST", "/service/SU1Z/purge", Fastly_Key="k", Surrogate_Key="news front"), {"home", "post", "image"}),
        (order("POST", "/service/SU1Z/purge_all", Fastly_Key="k"), EVERYTHING),
        # Souin
        (order("PURGE", "/souin-api/souin", Surrogate_Key="news, front"), {"home", "post", "image"}),
        (order("PURGE", "/souin-api/souin/flush"), EVERYTHING),
        (order("PURGE", "/souin-api/souin/www.shop.example.+"), {"other"}),
    ],
    ids=lambda value: value.what if isinstance(value, PurgeOrder) else "",
)
def test_a_client_of_another_cache_purges_what_it_means(given: PurgeOrder, covered: set[str]) -> None:
    assert purged(given) == covered


def test_a_purge_is_soft_if_the_client_says_so() -> None:
    assert order("PURGE", "/", Fastly_Soft_Purge="1").soft
    assert order("PURGEKEYS", xkey_softpurge="a").soft
    assert order("PURGE", "/", xkey_soft="a").soft
    assert not order("PURGE", "/", xkey="a", Fastly_Soft_Purge="0").soft


def test_a_url_is_purged_whatever_the_scheme_and_the_port_of_the_edge() -> None:
    given = order("PURGE", "/a")
    urls = [f"{place}/a" for place in (SITE, "https://shop.example", f"{SITE}:8080", "https://shop.example:8080")]
    assert all(any(scope.covers(new_entry(url)) for scope in given.scopes) for url in urls)


def test_a_url_is_purged_without_the_parameters_that_its_key_does_not_have() -> None:
    rule = QueryRule(glob("*"), glob("*"), (glob("sig*"),))
    policy = replace(CachePolicy(), keying=replace(CachePolicy().keying, query_rules=(rule,)))
    given = order_in(Request("PURGE", "http", "shop.example", 80, "/a?v=1&sig=x"), [], policy, "tests")
    assert {scope.key for scope in given.scopes} >= {f"{SITE}/a?v=1"}


@pytest.mark.parametrize(
    ("method", "target", "fields"),
    [
        ("BAN", "/", {"X_Url": "(a+)+$"}),
        ("BAN", "/", {"X_Cache_Tags": "a,b.*c,d"}),
        ("PURGEKEYS", "/", {}),
        ("PURGE", "/", {"xkey": " , "}),
        ("PURGE", "/", {"xkey": "x" * 1025}),
        ("PURGE", "/souin-api/souin", {}),
        ("POST", "/service/x/purge", {"Fastly_Key": "k"}),
        ("PURGE", "/[a", {"X_Purge_Method": "regex"}),
    ],
)
def test_a_purge_that_is_not_understood_is_refused(method: str, target: str, fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        order(method, target, **fields)


@pytest.mark.parametrize(
    ("method", "target", "names"),
    [
        ("GET", "/", {"xkey"}),
        ("POST", "/service/x/purge", set()),
        ("POST", "/cart", {"fastly-key"}),
        ("purge", "/", {}),
    ],
)
def test_other_requests_are_no_purges(method: str, target: str, names: set[str]) -> None:
    assert not is_purge(method, target, names)
