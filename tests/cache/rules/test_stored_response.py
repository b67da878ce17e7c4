"""Stored responses that are made from another one: all other attributes stay the same."""

from __future__ import annotations

from dataclasses import fields, replace

from cache.http.messages import Fields, Response
from cache.policy.clock_setting import ClockSetting
from cache.rules.stored_response import StoredResponse
from tests.cache.examples import stored

HEAD = Response(200, "OK", Fields((("ETag", '"1"'),)))
PART = stored()
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
    clock=ClockSetting(8, 9.0),
    tags="news",
    soft_purged=True,
    last_purge=3,
    combined_parts=(PART,),
    coded_forms=(PART,),
)
"""No attribute has its default value."""


def test_no_attribute_of_the_entry_here_has_its_default_value() -> None:
    assert all(getattr(ENTRY, each.name) != each.default for each in fields(ENTRY))


def test_with_body_changes_only_the_attributes_of_the_body() -> None:
    assert ENTRY.with_body(8, "t") == replace(ENTRY, length=8, sha256="t", combined_parts=())
    valid = replace(ENTRY, invalid=False)
    assert valid.with_body(8, "t") == replace(valid, length=8, sha256="t", combined_parts=())
    assert valid.with_body(8, "t", invalid=True).invalid
    assert ENTRY.with_body(8, "t", last_purge=4).last_purge == 4


def test_revalidated_changes_only_its_arguments_and_the_revision() -> None:
    head = Response(200, "OK", Fields((("ETag", '"2"'),)))
    clock = ClockSetting(9, 10.0)
    expected = replace(ENTRY, head=head, request_time=8.0, response_time=9.0, vary=(), personal=False, scrubbed=False)
    expected = replace(expected, clock=clock, tags="sport", soft_purged=False, last_purge=None)
    confirmed = ENTRY.revalidated(head, 8.0, 9.0, (), personal=False, scrubbed=False, clock=clock, tags="sport")
    assert confirmed == replace(expected, invalid=False, revision=8)
    assert confirmed.coded_forms == (PART,)
