"""Properties of the parsers for any text: they never raise, and their results are within limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cache.http import fields as parsers
from cache.http.cache_control import request_directives, response_directives
from cache.http.field_table import end_to_end, hop_by_hop
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy, KeyPolicy
from cache.rules.groups import groups
from cache.rules.key import primary_key
from cache.rules.ranges import Part, Unsatisfiable, requested_parts
from cache.rules.storability import content_range
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import matches, nominated_fields, vary_of
from tests.fixtures.strategies import BEGINNING, entries, fields, requests, unhurried, values

POLICY = CachePolicy(keying=KeyPolicy(credential_key=bytes(32)))
_HEAD = Response(200, "OK")


@unhurried
@given(values)
def test_lists_keep_all_characters_except_commas_and_white_space(text: str) -> None:
    members = parsers.members(text)
    assert all(member and member == member.strip(" \t") for member in members)
    assert "".join("".join(members).split()).replace(",", "") == "".join(text.split()).replace(",", "")


@unhurried
@given(values)
def test_delta_seconds_are_never_negative_or_above_the_limit(text: str) -> None:
    seconds = parsers.delta_seconds(text)
    assert seconds is None or 0 <= seconds <= parsers.MAX_SECONDS


@unhurried
@given(values)
def test_any_text_is_a_date_that_can_be_written_or_no_date(text: str) -> None:
    timestamp = parsers.http_date(text, BEGINNING)
    if timestamp is not None:
        assert parsers.http_date(parsers.imf_date(timestamp), BEGINNING) == timestamp


@unhurried
@given(st.integers(0, 253_402_300_799))
def test_a_formatted_date_is_parsed_to_the_same_time(timestamp: int) -> None:
    assert parsers.http_date(parsers.imf_date(timestamp), BEGINNING) == timestamp


@unhurried
@given(values)
def test_quoted_strings_entity_tags_and_media_types_never_raise(text: str) -> None:
    parsers.unquoted(text)
    parsers.media_type(text)
    list(parsers.tokens(text))
    for tag in parsers.entity_tags(text):
        assert parsers.is_strong(tag) != tag.startswith("W/")
        assert tag.endswith(parsers.opaque_tag(tag))


@unhurried
@given(fields, st.sampled_from([(), ("cdn-cache-control",)]))
def test_directives_of_any_fields_are_consistent(response_fields: Fields, targeted: tuple[str, ...]) -> None:
    response, request = response_directives(response_fields, targeted), request_directives(response_fields)
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
def test_parsers_of_other_fields_never_raise(response_fields: Fields) -> None:
    assert all(len(name) <= 256 for name in groups(response_fields))
    assert set(dict(end_to_end(response_fields))) & hop_by_hop(response_fields) == set()
    nominated = nominated_fields(response_fields)
    assert nominated is None or list(nominated) == sorted({name.lower() for name in nominated})


@unhurried
@given(requests(), entries())
def test_requested_ranges_are_within_the_content(request: Request, entry: StoredResponse) -> None:
    parts = requested_parts(request, entry)
    if isinstance(parts, Unsatisfiable) or parts is None:
        return
    assert all(isinstance(part, Part) and 0 <= part.start < part.stop <= entry.total for part in parts)
    assert parts


@unhurried
@given(entries())
def test_a_content_range_is_within_the_complete_content(entry: StoredResponse) -> None:
    place = content_range(entry.head)
    assert place is None or 0 <= place.first < place.stop <= place.complete


@unhurried
@given(requests(), fields)
def test_a_request_matches_the_variant_that_it_created(request: Request, response_fields: Fields) -> None:
    vary = vary_of(request, primary_key(request), response_fields, POLICY)
    entry = StoredResponse(
        id="0" * 32,
        key=primary_key(request),
        method="GET",
        target=request.uri,
        head=_HEAD,
        request_time=0.0,
        response_time=0.0,
        stored_at=0.0,
        vary=vary,
    )
    assert matches(entry, request, POLICY) == (nominated_fields(response_fields) is not None)


@unhurried
@given(requests(), fields)
def test_vary_values_contain_credentials_only_as_hashes(request: Request, response_fields: Fields) -> None:
    for name, value in vary_of(request, primary_key(request), response_fields, POLICY):
        if name in ("authorization", "cookie") and value is not None:
            assert value.startswith("hash:")
