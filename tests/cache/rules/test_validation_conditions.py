"""Conditional requests: those of clients, those to origins, and the copies that a response confirms (RFC 9110 §13)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.http.messages import Fields, Response
from cache.rules.stored_response import StoredResponse
from cache.rules.validation import (
    conditional,
    confirmed_entries,
    entity_tag,
    entries_to_validate,
    matches_any_tag,
    not_modified,
    same_representation,
)
from tests.cache import examples
from tests.cache.examples import DATE, NOW, SAME_SECOND, SECOND_BEFORE, request


def stored(*fields: tuple[str, str], length: int = 1000, status: int = 200) -> StoredResponse:
    """Return a stored response with a Date."""
    return examples.stored(DATE, *fields, status=status, length=length)


@pytest.mark.row("PARSE-15")
def test_a_response_has_one_entity_tag_or_none() -> None:
    assert entity_tag(Fields((("ETag", '"1"'),))) == '"1"'
    assert entity_tag(Fields((("ETag", '"1"'), ("ETag", '"1"')))) is None
    assert entity_tag(Fields((("ETag", ""),))) is None
    assert entity_tag(Fields()) is None


@pytest.mark.row("REVAL-20", "REVAL-21", "REVAL-23")
@pytest.mark.parametrize(
    ("value", "tag", "matches"),
    [
        ('"1"', '"1"', True),
        ('W/"1"', '"1"', True),
        ('"1"', 'W/"1"', True),
        ('"0", "1", "2"', '"1"', True),
        ("*", None, True),
        (" * ", '"1"', True),
        ('"1"', None, False),
        ('"2"', '"1"', False),
        ("1", '"1"', False),
        ("a b, c", "a b, c", True),
    ],
)
def test_if_none_match_is_compared_weakly(value: str, tag: str | None, matches: bool) -> None:
    assert matches_any_tag(value, stored(*([("ETag", tag)] if tag else []))) is matches


@pytest.mark.row("REVAL-24", "REVAL-28")
def test_if_modified_since_is_compared_with_last_modified() -> None:
    since = ("If-Modified-Since", SECOND_BEFORE[1])
    assert not_modified(request(since), stored(SECOND_BEFORE))
    assert not not_modified(request(since), stored(SAME_SECOND))
    assert not not_modified(request(since, since), stored(SECOND_BEFORE))
    assert not not_modified(request(), stored(SECOND_BEFORE))
    for status, unchanged in ((200, True), (299, True), (300, False), (199, False), (404, False)):
        assert not_modified(request(since), stored(SECOND_BEFORE, status=status)) is unchanged


@pytest.mark.row("F304-02", "F304-04", "F304-05")
def test_a_304_confirms_the_stored_responses_that_it_identifies() -> None:
    one, two = stored(("ETag", '"1"')), replace(stored(("ETag", 'W/"2"')), response_time=NOW + 1)
    twin = replace(one, response_time=NOW + 2)
    two_tags, one_tag = request(("If-None-Match", '"1", W/"2"')), request(("If-None-Match", '"1"'))

    def response(*fields: tuple[str, str]) -> Response:
        return Response(304, "", Fields(fields))

    assert confirmed_entries([one, two, twin], two_tags, response(("ETag", '"1"'))) == (twin, one)
    assert confirmed_entries([one, two], two_tags, response(("ETag", '"2"'))) == ()
    assert confirmed_entries([one, two, twin], two_tags, response(("ETag", 'W/"1"'))) == (twin,)
    assert confirmed_entries([stored()], one_tag, response(("ETag", 'W/"1"'))) == ()
    assert confirmed_entries([one, two], two_tags, response()) == ()
    assert confirmed_entries([one], two_tags, response()) == ()
    assert confirmed_entries([one], one_tag, response()) == (one,)
    assert confirmed_entries([stored(SECOND_BEFORE)], request(), response()) == (stored(SECOND_BEFORE),)
    assert confirmed_entries([stored(SECOND_BEFORE)], request(), response(SECOND_BEFORE)) == (stored(SECOND_BEFORE),)
    assert confirmed_entries([stored(SECOND_BEFORE)], request(), response(SAME_SECOND)) == ()


@pytest.mark.row("HEAD-04")
@pytest.mark.parametrize(
    ("fields", "same"),
    [
        ([], True),
        ([("ETag", '"1"')], True),
        ([("ETag", '"2"')], False),
        ([SECOND_BEFORE], True),
        ([SAME_SECOND], False),
        ([("Content-Length", "1000")], True),
        ([("Content-Length", "999")], False),
    ],
)
def test_a_response_to_head_may_describe_the_stored_representation(fields: list[tuple[str, str]], same: bool) -> None:
    response = Response(200, "", Fields(tuple(fields)))
    assert same_representation(stored(("ETag", '"1"'), SECOND_BEFORE), response) is same


@pytest.mark.row("REVAL-02", "REVAL-07", "REVAL-09")
def test_a_conditional_request_has_the_validators_of_all_entries() -> None:
    one, two = stored(("ETag", '"1"'), SECOND_BEFORE), stored(("ETag", '"2"'), SAME_SECOND)
    range_field = ("Range", "bytes=0-1")
    sent = conditional(request(range_field, ("If-None-Match", 'W/"9", "1"')), [one]).fields
    assert dict(sent) == {"If-None-Match": '"1", W/"9"', "If-Modified-Since": SECOND_BEFORE[1]}
    assert dict(conditional(request(), [one, two]).fields) == {"If-None-Match": '"1", "2"'}
    assert dict(conditional(request(), [one, one]).fields) == {"If-None-Match": '"1"'}
    assert dict(conditional(request(("If-None-Match", "*")), [one]).fields)["If-None-Match"] == '"1"'
    assert dict(conditional(request(), [stored(SECOND_BEFORE)]).fields) == {"If-Modified-Since": SECOND_BEFORE[1]}
    assert conditional(request(range_field), []).fields == request(range_field).fields
    many = ", ".join(f'"{number}"' for number in range(100, 130))
    listed = str(conditional(request(("If-None-Match", many)), [one]).fields.get("if-none-match")).split(", ")
    assert listed == ['"1"', *(f'"{number}"' for number in range(100, 115))]


@pytest.mark.row("REVAL-09", "SEC-12")
def test_at_most_the_latest_eight_variants_are_validated() -> None:
    variants = [replace(stored(("ETag", f'"{number}"')), response_time=NOW + number) for number in range(12)]
    validated = entries_to_validate([*variants, stored(SECOND_BEFORE)], None)
    assert [entity_tag(entry.head.fields) for entry in validated] == [f'"{number}"' for number in range(11, 3, -1)]
    assert entries_to_validate(variants, stored()) == ()
    assert entries_to_validate(variants, stored(SECOND_BEFORE)) == (stored(SECOND_BEFORE),)
