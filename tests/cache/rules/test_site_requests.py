"""Requests as the rules of a site change them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.http.messages import Fields, Request
from cache.policy.operator_rules import glob
from cache.policy.site_rules import CookieChange, Effects, FieldChange, QueryChange
from cache.rules.key import primary_key
from cache.rules.site_requests import changed_request, changed_target, cookie_values, has_cookie

DROPPED = QueryChange(drop=(glob("utm_*"), glob("gclid")))
KEPT = QueryChange(keep=(glob("id"), glob("page")), sort=True)


def request(target: str = "/", *lines: tuple[str, str]) -> Request:
    return Request("GET", "https", "a.example", 443, target, Fields(lines))


@pytest.mark.parametrize(
    ("target", "left"),
    [
        ("/a", "/a"),
        ("/a?", "/a?"),
        ("/a?id=1", "/a?id=1"),
        ("/a?utm_source=x", "/a"),
        ("/a?id=1&utm_source=x&page=2", "/a?id=1&page=2"),
        ("/a?gclid", "/a"),
        ("/a?id=a%26utm_x=1", "/a?id=a%26utm_x=1"),
        # only & separates parameters: what another reader would see behind a semicolon is dropped as well
        ("/a?utm_source=x;id=1", "/a"),
        ("/a?id=1;utm_source=x", "/a?id=1;utm_source=x"),
        ("/a?utm%5Fsource=x", "/a?utm%5Fsource=x"),
        ("/a?b?utm_x=1", "/a?b?utm_x=1"),
        ("/a?id=1&&utm_x", "/a?id=1&"),
    ],
)
def test_dropped_parameters(target: str, left: str) -> None:
    assert changed_target(target, DROPPED) == left


@pytest.mark.parametrize(
    ("target", "left"),
    [
        ("/a?page=2&x=1&id=1", "/a?id=1&page=2"),
        ("/a?id=2&page=1&id=1", "/a?id=2&id=1&page=1"),
        ("/a?x=1", "/a"),
    ],
)
def test_kept_and_sorted_parameters(target: str, left: str) -> None:
    assert changed_target(target, KEPT) == left


TARGETS = st.lists(st.sampled_from(["id=1", "id=2", "page=1", "utm_a=1", "x;id=3", "id", "", "%69d=1"])).map(
    lambda parameters: "/a?" + "&".join(parameters)
)
CHANGES = st.builds(
    QueryChange,
    drop=st.sampled_from([(), DROPPED.drop]),
    keep=st.sampled_from([None, KEPT.keep]),
    sort=st.booleans(),
)


@given(TARGETS, TARGETS, CHANGES)
def test_requests_with_one_key_are_forwarded_alike(first: str, second: str, change: QueryChange) -> None:
    effects = Effects(query=change)
    one, other = changed_request(request(first), effects), changed_request(request(second), effects)
    if one.target == other.target:
        assert primary_key(one) == primary_key(other)
    assert changed_request(one, effects).target == one.target
    names = {parameter.partition("=")[0] for parameter in one.target.partition("?")[2].split("&")}
    assert not any(name.startswith("utm_") for name in names) or not change.drop


@pytest.mark.parametrize(
    ("lines", "change", "left"),
    [
        (["_ga=1; s=2"], CookieChange(strip=(glob("_ga*"),)), ("s=2",)),
        (["_ga=1", "s=2"], CookieChange(strip=(glob("_ga*"),)), ("s=2",)),
        (["_ga=1; _gat=2"], CookieChange(strip=(glob("_ga*"),)), ()),
        (["a=1; s=2; b"], CookieChange(keep=(glob("s"),)), ("s=2",)),
        (["a=1; s=2"], CookieChange(keep=()), ()),
        (["s=2;t= 3 "], CookieChange(keep=(glob("?"),)), ("s=2;t= 3 ",)),
        (['s="a b"; t=1'], CookieChange(keep=(glob("s"),)), ('s="a b"',)),
    ],
)
def test_cookies(lines: list[str], change: CookieChange, left: tuple[str, ...]) -> None:
    changed = changed_request(request("/", *(("Cookie", line) for line in lines)), Effects(cookies=change))
    assert changed.fields.all("cookie") == left


def test_fields_of_requests() -> None:
    change = FieldChange(set=(("X-Tier", "edge"),), remove=("X-Debug",))
    changed = changed_request(
        request("/", ("x-debug", "1"), ("x-tier", "forged"), ("Accept", "*/*")), Effects(request_fields=change)
    )
    assert changed.fields.lines == (("Accept", "*/*"), ("X-Tier", "edge"))


def test_cookies_by_name() -> None:
    fields = Fields((("Cookie", "lang=de; wordpress_logged_in_1f=x"), ("Cookie", "lang=fr")))
    assert cookie_values(fields, "lang") == ("de", "fr")
    assert has_cookie(fields, (glob("wordpress_logged_in_*"),))
    assert not has_cookie(fields, (glob("wordpress"),))
    assert not has_cookie(Fields(), (glob("*"),))
