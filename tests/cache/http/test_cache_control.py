"""Parsing of cache directives (RFC 9111 §5.2)."""

from __future__ import annotations

import math

import pytest

from cache.http.cache_control import (
    RequestDirectives,
    ResponseDirectives,
    is_for_all,
    is_shareable_if_authorized,
    request_directives,
    response_directives,
)
from cache.http.messages import Fields


def response(value: str) -> ResponseDirectives:
    return response_directives(Fields((("Cache-Control", value),)))


def request(value: str) -> RequestDirectives:
    return request_directives(Fields((("Cache-Control", value),)))


def targeted(value: str) -> ResponseDirectives:
    fields = Fields((("CDN-Cache-Control", value), ("Cache-Control", "max-age=7")))
    return response_directives(fields, ("cdn-cache-control",))


@pytest.mark.row("STORE-28")
def test_unknown_directives_are_ignored() -> None:
    assert response("shiny, max-sage=1") == ResponseDirectives() == response_directives(Fields())
    assert request("shiny, max-sage=1") == RequestDirectives() == request_directives(Fields())


@pytest.mark.row("FRESH-12", "FRESH-13", "PARSE-02", "PARSE-03", "PARSE-05")
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("max-age=60", 60),
        ('max-age="60"', 60),
        ("max-age=60, max-age=60", 60),
        ("max-age=60, MAX-AGE=61", 0),
        ("max-age=60, max-age", 0),
        ("max-age", 0),
        ("max-age=", 0),
        ("max-age=-1", 0),
        ("max-age= 60", 0),
        ("max-age =60", 0),
        ("max age=60", None),
        ("public", None),
    ],
)
def test_directives_with_seconds(value: str, seconds: int | None) -> None:
    assert response(value).max_age == seconds
    assert response(value.replace("max-age", "s-maxage").replace("MAX-AGE", "S-MaxAge")).s_maxage == seconds
    assert response(value.replace("max-age", "stale-if-error")).stale_if_error == (seconds or 0) or "MAX" in value
    assert response(value.replace("max-age", "stale-while-revalidate")).stale_while_revalidate == (seconds or 0) or (
        "MAX" in value
    )


@pytest.mark.row("STORE-06", "STORE-07", "PARSE-03")
def test_directives_qualified_by_field_names() -> None:
    assert response('private="A, b"').private_fields == {"a", "b"}
    assert response("private=a").private_fields == {"a"}
    assert not response("private=a").private
    assert response('private="a", private="B"').private_fields == {"a", "b"}
    for unqualified in ("private", 'private=""', 'private="a", private', 'private= "a"', 'private ="a"', "private="):
        assert response(unqualified).private, unqualified
        assert response(unqualified).private_fields == frozenset()
        assert response(unqualified.replace("private", "no-cache")).no_cache, unqualified
    assert response('no-cache="a"').no_cache_fields == {"a"}
    assert not response('no-cache="a"').no_cache


@pytest.mark.row("PARSE-05")
def test_an_unterminated_quoted_string_makes_the_response_stale() -> None:
    directives = response('no-store, x="a, max-age=60')
    assert (directives.broken, directives.no_store, directives.max_age) == (True, True, 0)
    assert not response('x="a", max-age=60').broken


@pytest.mark.row("REQ-10", "REQ-03")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("max-age=5", RequestDirectives(max_age=5)),
        ("max-age=x", RequestDirectives(no_cache=True)),
        ("min-fresh=5", RequestDirectives(min_fresh=5)),
        ("min-fresh=x", RequestDirectives(no_cache=True)),
        ("min-fresh", RequestDirectives(no_cache=True)),
        ("max-stale", RequestDirectives(max_stale=math.inf)),
        ("max-stale=5", RequestDirectives(max_stale=5)),
        ("max-stale=x", RequestDirectives()),
        ("max-stale=", RequestDirectives()),
        ("stale-if-error=5", RequestDirectives(stale_if_error=5)),
        ("stale-if-error=x", RequestDirectives()),
        ("no-cache=x", RequestDirectives(no_cache=True)),
        ("no-store, only-if-cached", RequestDirectives(no_store=True, only_if_cached=True)),
    ],
)
def test_request_directives(value: str, expected: RequestDirectives) -> None:
    assert request(value) == expected


@pytest.mark.row("REQ-08")
def test_pragma_counts_only_without_cache_control() -> None:
    assert request_directives(Fields((("Pragma", "no-cache"),))).no_cache
    assert not request_directives(Fields((("Pragma", "foo"),))).no_cache
    assert not request_directives(Fields((("Pragma", "no-cache"), ("Cache-Control", "max-age=1")))).no_cache


@pytest.mark.row("TARGET-06", "TARGET-07", "TARGET-08")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("max-age=5", ResponseDirectives("cdn-cache-control", max_age=5)),
        ("max-age=0", ResponseDirectives("cdn-cache-control", max_age=0)),
        ("max-age=5;x=1, shiny=(a b)", ResponseDirectives("cdn-cache-control", max_age=5)),
        ("max-age=4, max-age=5", ResponseDirectives("cdn-cache-control", max_age=5)),
        ("no-store=?0, public", ResponseDirectives("cdn-cache-control", public=True)),
        ('private="a"', ResponseDirectives("cdn-cache-control", private_fields=frozenset({"a"}))),
        ("private, no-cache", ResponseDirectives("cdn-cache-control", private=True, no_cache=True)),
        *(
            (invalid, ResponseDirectives(max_age=7))
            for invalid in (
                "max-age=-1",
                "max-age=1.0",
                'max-age="5"',
                "max-age",
                "MaX-aGe=5",
            )
        ),
        *((invalid, ResponseDirectives(max_age=7)) for invalid in ("max-age = 5", "max-age=(5)", "", "MaX-aGe=5")),
    ],
)
def test_targeted_fields(value: str, expected: ResponseDirectives) -> None:
    assert targeted(value) == expected


@pytest.mark.row("PARSE-25", "TARGET-07")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("no-store=1", ResponseDirectives(max_age=7, no_store=True)),
        ("no-store=(1)", ResponseDirectives(max_age=7, no_store=True)),
        ("No-Store, max-age=60", ResponseDirectives(max_age=7, no_store=True)),
        ("max-age=60 private", ResponseDirectives(max_age=7, private=True)),
        ("private=1, max-age=60, x=", ResponseDirectives(max_age=7, private=True)),
        ("no-cache=set-cookie, x=", ResponseDirectives(max_age=7, no_cache=True)),
        ("public, s-maxage=60, x=", ResponseDirectives(max_age=7)),
    ],
)
def test_a_targeted_field_that_is_invalid_restricts_beside_cache_control(
    value: str, expected: ResponseDirectives
) -> None:
    assert targeted(value) == expected


def test_a_targeted_field_that_is_invalid_permits_nothing() -> None:
    directives = targeted("must-revalidate, x=")
    assert directives.must_revalidate
    assert not is_shareable_if_authorized(directives)
    fields = (("A-Control", "no-store, x="), ("B-Control", "max-age=9, no-store, must-understand"))
    assert not response_directives(Fields(fields), ("a-control", "b-control")).must_understand


@pytest.mark.row("PARSE-25")
@pytest.mark.parametrize(
    "garbage", ["{}; foo", "{} foo", "{};", "{}/1", "{}:", 'x="a, {}', "{} =x", "x y;{}", 'x "{}"']
)
@pytest.mark.parametrize("name", ["no-store", "private", "no-cache", "must-revalidate", "proxy-revalidate", "NO-STORE"])
def test_a_restricting_directive_counts_in_a_malformed_member(name: str, garbage: str) -> None:
    directives = response(f"max-age=60, {garbage.format(name)}")
    assert getattr(directives, name.lower().replace("-", "_"))
    assert not is_shareable_if_authorized(directives)


@pytest.mark.row("PARSE-25")
@pytest.mark.parametrize("name", ["no-cache", "no-store", "only-if-cached"])
def test_a_restricting_request_directive_counts_in_a_malformed_member(name: str) -> None:
    for value in (f"{name}; x", f"{name} x", f"max-stale=5; {name}"):
        assert getattr(request(value), name.replace("-", "_")), value
    assert request_directives(Fields((("Pragma", "no-cache; x"),))).no_cache
    assert request("max-age=60; x").no_cache
    assert request("max-stale; x").max_stale == request("stale-if-error=5; x").stale_if_error == 0


@pytest.mark.row("PARSE-25")
@pytest.mark.parametrize("garbage", [" x", "; x", "/"])
def test_a_malformed_member_permits_nothing(garbage: str) -> None:
    for name in ("public", "immutable", "max-age=5", "stale-if-error=5", "stale-while-revalidate=5"):
        assert response(f"{name}{garbage}") == ResponseDirectives(max_age=0 if name == "max-age=5" else None), name
    shared = response(f"s-maxage=5{garbage}")
    assert shared.s_maxage == 0
    assert not is_for_all(shared)
    assert not is_for_all(response("s-maxage=x"))
    assert response(f"must-understand{garbage}").must_understand
    assert not response(f"must-understand{garbage}, no-store").must_understand


@pytest.mark.row("PARSE-25")
def test_text_that_names_no_field_makes_private_and_no_cache_count_for_all() -> None:
    for value in ('private="a; b"', "private=a/b", 'private="a", private="b c"', 'private="a" b'):
        assert response(value).private, value
        assert response(value.replace("private", "no-cache")).no_cache, value


@pytest.mark.parametrize("text", ['"' + r"\"" * 100_000, r"\"" * 100_000, '"' * 100_001, 'a="' + r"\\" * 100_000])
def test_quotation_marks_without_end_are_read_in_time_that_grows_with_their_number(text: str) -> None:
    """Regression: 32 KiB of them, which any client may send, held up all others for seconds; these took minutes."""
    assert request_directives(Fields((("Cache-Control", text),))) == RequestDirectives()
