"""Scopes of purges: what they cover, in which ranges of keys it is, and their texts."""

from __future__ import annotations

import pytest

from cache.http.messages import Fields, Response
from cache.rules.stored_response import StoredResponse
from cache.stores import purge_scopes
from cache.stores.purge_scopes import (
    ALL,
    Conditions,
    Scope,
    host_name,
    literal,
    names_of,
    scope_of,
    tag_name,
    url_name,
    where,
)
from tests.fixtures.stored_entries import new_entry

KEYS = {
    "http://a.example/": "a.example",
    "https://a.example/x?y=http://b.example/": "a.example",
    "http://a.example:8080/": "a.example",
    "http://a.example.org/": "a.example.org",
    "http://b.a.example/": "b.a.example",
    "http://[::1]/": "::1",
    "https://[::1]:8443/": "::1",
    "http://[::11]/": "::11",
}


def entry(key: str = "https://a.example/blog/1?page=2", kind: str = "text/html", tags: str = "") -> StoredResponse:
    return new_entry(key, head=Response(200, "OK", Fields((("Content-Type", kind),))), tags=tags)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_has_the_name_of_its_host_and_the_name_of_everything(key: str) -> None:
    assert set(names_of(key)) == {ALL, host_name(KEYS[key])}


@pytest.mark.parametrize("host", sorted({*KEYS.values()}))
def test_the_ranges_of_a_host_hold_exactly_its_keys(host: str) -> None:
    ranges = Scope(host_name(host)).key_ranges()
    inside = {key for key in KEYS for start, stop in ranges if start <= key < stop}
    assert inside == {key for key, its_host in KEYS.items() if its_host == host}
    assert inside == {key for key in KEYS if Scope(host_name(host)).may_cover(key)}


def test_a_host_is_meant_in_any_spelling() -> None:
    assert host_name("A.Example.") == host_name("a.example")
    assert host_name("[::1]") == host_name("::1")


def test_the_scope_of_a_url_is_one_key() -> None:
    scope = Scope(url_name("http://a.example/b"))
    [(start, stop)] = scope.key_ranges()
    assert [start <= key < stop for key in ("http://a.example/b", "http://a.example/bb")] == [True, False]
    assert scope.key == "http://a.example/b"


def test_a_tag_covers_responses_that_have_it_as_a_whole() -> None:
    tagged = entry(tags="news\nnews-2\nséjour")
    covering = ("news", "news-2", "séjour")
    assert all(Scope(tag_name(tag)).covers(tagged) for tag in covering)
    assert not any(Scope(tag_name(tag)).covers(tagged) for tag in ("new", "ews", "news\nnews-2", ""))
    assert not Scope(tag_name("")).covers(entry())


@pytest.mark.parametrize(
    ("conditions", "covered"),
    [
        (Conditions(urls=("https://a.example/blog/*",)), True),
        (Conditions(urls=("https://a.example/blog",)), False),
        (Conditions(hosts=("b.example", "a.example"), targets=("/blog/?[?]page=2",)), True),
        (Conditions(hosts=("*.example",), other_hosts=("a.*",)), False),
        (Conditions(hosts=("b.example",)), False),
        (Conditions(types=("text/*",)), True),
        (Conditions(types=("image/*",)), False),
        (Conditions(tags=("product-[0-9]",)), True),
        (Conditions(tags=("product",)), False),
        (Conditions(types=("image/*",), tags=("product-1",)), False),
    ],
)
def test_conditions_have_all_to_be_met(conditions: Conditions, covered: bool) -> None:
    tagged = entry(tags="product-1\nother")
    scope = where(conditions)
    assert scope.covers(tagged) is covered
    assert scope.covers(tagged) is scope_of(scope.text).covers(tagged)
    if covered:
        assert scope.may_cover(tagged.key)
        assert any(start <= tagged.key < stop for start, stop in scope.key_ranges())


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("scope", [Scope(ALL), Scope(host_name("a")), where(Conditions(urls=("*", 'a"b\n')))])
def test_a_scope_is_read_from_its_text(scope: Scope, soft: bool) -> None:
    wanted = type(scope)(scope.name, soft, *([scope.conditions] if hasattr(scope, "conditions") else []))
    assert scope_of(wanted.text) == wanted


@pytest.mark.parametrize("text", ["", "where:", 'where:{"color": ["red"]}', "planet:mars", "where:[1]"])
def test_a_text_that_cannot_be_read_covers_everything(text: str) -> None:
    assert scope_of(text) == Scope(ALL)


def test_a_literal_matches_itself_alone() -> None:
    text = "http://[::1]/a*b?c[d]"
    assert where(Conditions(urls=(literal(text),))).may_cover(text)
    assert not where(Conditions(urls=(literal("a*"),))).may_cover("ab")


def test_a_pattern_with_many_stars_takes_no_time() -> None:
    scope = where(Conditions(urls=("*a" * 100 + "b",)))
    assert not scope.may_cover("a" * 5_000)


def test_the_patterns_of_any_number_of_scopes_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scopes = [where(Conditions(targets=(f"/{number}*",))) for number in range(1000)]
    monkeypatch.setattr(purge_scopes, "translate", lambda _: pytest.fail("compiled again"))
    assert [number for number, scope in enumerate(scopes) if scope.may_cover("http://a.example/999")] == [9, 99, 999]
