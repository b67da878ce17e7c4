"""What a 304 may change of a stored response, and what it may not (RFC 9111 §3.2)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cache.http.cache_control import response_directives
from cache.http.field_table import end_to_end, row
from cache.http.fields import http_date
from cache.http.messages import Received, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.stored_response import StoredResponse
from cache.rules.validation import conditional, entries_to_validate, freshened
from tests.fixtures.strategies import entries, received, requests, unhurried

POLICY = CachePolicy()
KEPT = ("content-length", "content-encoding", "content-range", "trailer")

not_modified = received(st.just(304))


@unhurried
@given(entries(), requests(), not_modified)
def test_fields_that_make_the_stored_octets_readable_stay(
    entry: StoredResponse, request: Request, news: Received
) -> None:
    after = freshened(entry, request, news, POLICY)
    for name in KEPT:
        assert after.head.fields.all(name) == entry.head.fields.all(name)
    assert (after.head.status, after.id, after.length, after.sha256) == (
        entry.head.status,
        entry.id,
        entry.length,
        entry.sha256,
    )


@unhurried
@given(entries(), requests(), not_modified)
def test_fields_of_the_304_replace_and_all_others_stay(entry: StoredResponse, request: Request, news: Received) -> None:
    after = freshened(entry, request, news, POLICY).head.fields
    arrived = end_to_end(news.head.fields)
    private = response_directives(arrived, ()).private_fields
    for name in {name.lower() for name, _ in [*entry.head.fields, *arrived]} - {"date", "age", *private}:
        taken = name in arrived and row(name).freshened
        assert after.all(name) == (arrived if taken else entry.head.fields).all(name), name


@unhurried
@given(entries(), requests(), not_modified)
def test_age_begins_anew_and_every_update_is_counted(entry: StoredResponse, request: Request, news: Received) -> None:
    after = freshened(entry, request, news, POLICY)
    assert (after.request_time, after.response_time) == (news.request_time, news.response_time)
    assert after.revision == entry.revision + 1
    assert not after.invalid
    assert http_date(after.head.fields.get("date"), news.response_time) is not None


@unhurried
@given(entries(), requests())
def test_a_conditional_request_carries_the_validators_octet_for_octet(entry: StoredResponse, request: Request) -> None:
    sent = conditional(request, entries_to_validate([entry], entry)).fields
    if entries_to_validate([entry], entry):
        tag, modified = entry.head.fields.all("etag"), entry.head.fields.get("last-modified")
        assert "range" not in sent
        assert len(tag) != 1 or not tag[0] or (sent.get("if-none-match") or "").startswith(tag[0])
        assert not modified or sent.all("if-modified-since") == (modified,)
    else:
        assert sent == request.fields
