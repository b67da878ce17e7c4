"""Methods that copy a record attribute by attribute, for speed: they must not leave one out."""

from __future__ import annotations

from dataclasses import fields, replace

from cache.http.client import Client
from cache.http.messages import Fields, Request, Response
from cache.policy.clock_setting import ClockSetting
from cache.rules.stored_response import StoredResponse

REQUEST = Request(
    method="POST",
    scheme="https",
    host="a.example",
    port=8443,
    target="/a?b",
    fields=Fields((("A", "1"),)),
    version="HTTP/1.0",
    has_content=True,
    tls_name="b.example",
    cache_target="/k",
    content_digest="digest",
    client=Client("192.0.2.1"),
)
ENTRY = StoredResponse(
    id="0" * 32,
    key="key",
    method="HEAD",
    target="target",
    head=Response(404, "Not Found"),
    request_time=1.0,
    response_time=2.0,
    stored_at=3.0,
    vary=(("a", "b"),),
    length=4,
    sha256="5",
    first=6,
    complete_length=7,
    personal=True,
    invalid=True,
    revision=8,
    scrubbed=True,
    clock=ClockSetting(9, 10.0),
    tags="news",
    soft_purged=True,
    last_purge=11,
)
NEVER_STORED = {"combined_parts", "coded_forms"}


def test_the_samples_differ_from_the_defaults_in_every_attribute() -> None:
    for record, defaults in ((REQUEST, set()), (ENTRY, NEVER_STORED)):
        assert {each.name for each in fields(record) if getattr(record, each.name) == each.default} == defaults


def test_with_fields_replaces_only_the_fields() -> None:
    other = Fields((("B", "2"),))
    assert REQUEST.with_fields(other) == replace(REQUEST, fields=other)


def test_with_target_drops_what_belongs_to_the_target_and_the_content_before() -> None:
    assert REQUEST.with_target("/other", REQUEST.client) == replace(
        REQUEST, target="/other", cache_target="", content_digest=""
    )


def test_with_body_replaces_only_length_digest_and_invalid() -> None:
    assert ENTRY.with_body(9, "10") == replace(ENTRY, length=9, sha256="10")
    assert replace(ENTRY, invalid=False).with_body(9, "10", invalid=True).invalid
