"""Stored responses that follow on another: all but what is said anew stays as it was."""

from __future__ import annotations

from dataclasses import fields, replace

from cache.http.messages import Fields, Response
from cache.rules.stored_response import StoredResponse

HEAD = Response(200, "OK", Fields((("ETag", '"1"'),)))
PIECE = StoredResponse("p", "k", "GET", "t", HEAD, 1.0, 2.0, 3.0)
ENTRY = StoredResponse(
    id="i",
    key="k",
    method="POST",
    target="t",
    head=HEAD,
    request_time=1.0,
    response_time=2.0,
    stored_at=3.0,
    vary=(("accept", "text/html"),),
    length=4,
    sha256="s",
    first=5,
    complete_length=60,
    personal=True,
    invalid=True,
    revision=7,
    scrubbed=True,
    combined_parts=(PIECE,),
)
"""Nothing in it is what it would be by itself."""


def test_the_entry_here_leaves_nothing_to_its_default() -> None:
    assert all(getattr(ENTRY, each.name) != each.default for each in fields(ENTRY))


def test_an_entry_with_its_body_is_the_same_but_for_that() -> None:
    assert ENTRY.with_body(8, "t") == replace(ENTRY, length=8, sha256="t", combined_parts=())
    fresh = replace(ENTRY, invalid=False)
    assert fresh.with_body(8, "t") == replace(fresh, length=8, sha256="t", combined_parts=())
    assert fresh.with_body(8, "t", invalid=True).invalid


def test_a_confirmed_entry_is_the_same_but_for_what_was_confirmed() -> None:
    head = Response(200, "OK", Fields((("ETag", '"2"'),)))
    said = replace(ENTRY, head=head, request_time=8.0, response_time=9.0, vary=(), personal=False, scrubbed=False)
    confirmed = ENTRY.revalidated(head, 8.0, 9.0, (), personal=False, scrubbed=False)
    assert confirmed == replace(said, invalid=False, revision=8)
