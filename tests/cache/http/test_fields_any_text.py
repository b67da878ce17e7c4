"""No text makes a parser raise, and what it makes of the text is sane."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cache.http import fields as parsers
from cache.http.cache_control import request_directives, response_directives
from cache.http.field_table import end_to_end, hop_by_hop
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.groups import groups
from cache.rules.key import matches, nominated_fields, primary_key, vary_of
from cache.rules.ranges import Part, Unsatisfiable, requested_parts
from cache.rules.storability import content_range
from cache.rules.stored_response import StoredResponse
from tests.fixtures.strategies import BEGINNING, entries, fields, requests, unhurried, values

POLICY = CachePolicy(credential_key=bytes(32))
_HEAD = Response(200, "OK")


@unhurried
@given(values)
def test_lists_keep_every_octet_but_commas_and_white_space(text: str) -> None:
    members = parsers.members(text)
    assert all(member and member == member.strip(" \t") for member in members)
    assert "".join("".join(members).split()).replace(",", "") == "".join(text.split()).replace(",", "")


@unhurried
@given(values)
def test_a_count_of_seconds_is_never_negative_and_never_too_large(text: str) -> None:
    seconds = parsers.delta_seconds(text)
    assert seconds is None or 0 <= seconds <= parsers.MAX_SECONDS


@unhurried
@given(values)
def test_a_date_can_be_read_or_not(text: str) -> None:
    moment = parsers.http_date(text, BEGINNING)
    if moment is not None:
        assert parsers.http_date(parsers.imf_date(moment), BEGINNING) == moment


@unhurried
@given(st.integers(0, 253_402_300_799))
def test_a_date_that_was_written_is_read_as_it_was_meant(moment: int) -> None:
    assert parsers.http_date(parsers.imf_date(moment), BEGINNING) == moment


@unhurried
@given(values)
def test_quoted_strings_entity_tags_and_media_types_never_raise(text: str) -> None:
    parsers.unquoted(text)
    parsers.media_type(text)
    list(parsers.tokens(text))
    for tag in parsers.entity_tags(text):
        assert parsers.is_strong(tag) != tag.startswith("W/")
        assert tag.endswith(parsers.opaque(tag))


@unhurried
@given(fields, st.sampled_from([(), ("cdn-cache-control",)]))
def test_directives_of_any_fields_are_sane(said: Fields, targeted: tuple[str, ...]) -> None:
    response, request = response_directives(said, targeted), request_directives(said)
    lifetimes = (
        response.max_age or 0,
        response.s_maxage or 0,
        response.stale_while_revalidate,
        response.stale_if_error,
    )
    assert all(0 <= seconds <= parsers.MAX_SECONDS for seconds in lifetimes)
    assert min(request.max_age or 0, request.min_fresh, request.max_stale, request.stale_if_error) >= 0
    assert not (response.no_cache and response.no_cache_fields)
    assert not (response.private and response.private_fields)


@unhurried
@given(fields)
def test_the_other_fields_that_are_parsed_never_raise(said: Fields) -> None:
    assert all(len(name) <= 256 for name in groups(said))
    assert set(dict(end_to_end(said))) & hop_by_hop(said) == set()
    nominated = nominated_fields(said)
    assert nominated is None or list(nominated) == sorted({name.lower() for name in nominated})


@unhurried
@given(requests(), entries())
def test_a_range_is_inside_the_content_or_not_at_all(request: Request, entry: StoredResponse) -> None:
    parts = requested_parts(request, entry)
    if isinstance(parts, Unsatisfiable) or parts is None:
        return
    assert all(isinstance(part, Part) and 0 <= part.start < part.stop <= entry.total for part in parts)
    assert parts


@unhurried
@given(entries())
def test_the_place_of_a_part_is_inside_the_whole(entry: StoredResponse) -> None:
    place = content_range(entry.head)
    assert place is None or 0 <= place.first < place.stop <= place.complete


@unhurried
@given(requests(), fields)
def test_a_request_matches_the_variant_that_it_made(request: Request, said: Fields) -> None:
    vary = vary_of(request, primary_key(request), said, POLICY)
    made = StoredResponse("0" * 32, primary_key(request), "GET", request.uri, _HEAD, 0.0, 0.0, 0.0, vary=vary)
    assert matches(made, request, POLICY) == (nominated_fields(said) is not None)


@unhurried
@given(requests(), fields)
def test_credentials_never_stand_among_the_values_of_a_variant(request: Request, said: Fields) -> None:
    for name, value in vary_of(request, primary_key(request), said, POLICY):
        if name in ("authorization", "cookie") and value is not None:
            assert value.startswith("hash:")
