"""Properties of validation: the fields of a stored response that a 304 updates (RFC 9111 §3.2)."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cache.http.cache_control import response_directives
from cache.http.field_table import end_to_end, row
from cache.http.fields import http_date
from cache.http.messages import Received, Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import SetCookie
from cache.rules.stored_response import StoredResponse
from cache.rules.validation import conditional, entries_to_validate, freshened
from tests.fixtures.strategies import entries, received, requests, unhurried

POLICY = CachePolicy()
NEVER_UPDATED = ("content-length", "content-encoding", "content-range", "trailer")

not_modified = received(st.just(304))


@unhurried
@given(entries(), requests(), not_modified)
def test_fields_that_describe_the_stored_body_stay(
    entry: StoredResponse, request: Request, received_304: Received
) -> None:
    after = freshened(entry, request, received_304, POLICY)
    for name in NEVER_UPDATED:
        assert after.head.fields.all(name) == entry.head.fields.all(name)
    assert (after.head.status, after.id, after.length, after.sha256) == (
        entry.head.status,
        entry.id,
        entry.length,
        entry.sha256,
    )


@unhurried
@given(entries(), requests(), not_modified)
def test_fields_of_the_304_replace_stored_fields_and_all_others_stay(
    entry: StoredResponse, request: Request, received_304: Received
) -> None:
    policy = replace(POLICY, storing=replace(POLICY.storing, set_cookie=SetCookie.STORE))
    after = freshened(entry, request, received_304, policy).head.fields
    updates = end_to_end(received_304.head.fields)
    private = response_directives(updates, ()).private_fields
    for name in {name.lower() for name, _ in [*entry.head.fields, *updates]} - {"date", "age", *private}:
        updated = name in updates and row(name).freshened
        assert after.all(name) == (updates if updated else entry.head.fields).all(name), name


@unhurried
@given(entries(), requests(), not_modified)
def test_the_age_starts_again_and_the_revision_rises(
    entry: StoredResponse, request: Request, received_304: Received
) -> None:
    after = freshened(entry, request, received_304, POLICY)
    assert (after.request_time, after.response_time) == (received_304.request_time, received_304.response_time)
    assert after.revision == entry.revision + 1
    assert not after.invalid
    assert http_date(after.head.fields.get("date"), received_304.response_time) is not None


@unhurried
@given(entries(), requests())
def test_a_conditional_request_has_the_stored_validators_byte_for_byte(entry: StoredResponse, request: Request) -> None:
    sent = conditional(request, entries_to_validate([entry], entry)).fields
    if entries_to_validate([entry], entry):
        tag, modified = entry.head.fields.all("etag"), entry.head.fields.get("last-modified")
        assert "range" not in sent
        assert len(tag) != 1 or not tag[0] or (sent.get("if-none-match") or "").startswith(tag[0])
        assert not modified or sent.all("if-modified-since") == (modified,)
    else:
        assert sent == request.fields
