"""Decisions that conversations cannot show: failures to reach an origin, contradicting names, misses, invalidation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache import engine
from cache.answer.cache_status import Handling
from cache.engine.decisions import Forward, Refuse
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Forwarded, Refused
from cache.rules.invalidation import invalidated_keys
from cache.rules.secrets import secrets_in
from tests.cache.examples import NOW, request

POLICY = CachePolicy()
REQUEST = request(("Host", "a.example"), target="/a", scheme="https", port=443)


@pytest.mark.parametrize(
    ("handling", "is_miss"),
    [
        (Handling(hit=True), False),
        (Handling(fwd=Forwarded.URI_MISS), True),
        (Handling(fwd=Forwarded.URI_MISS, fwd_status=304), True),
        (Handling(fwd=Forwarded.STALE, fwd_status=200), True),
        (Handling(fwd=Forwarded.STALE, fwd_status=304), False),
        (Handling(fwd=Forwarded.METHOD, fwd_status=200), False),
        (Handling(fwd=Forwarded.URI_MISS, collapsed=True), False),
    ],
)
def test_a_miss_needed_content_that_a_copy_could_have_given(handling: Handling, is_miss: bool) -> None:
    """See docs/decisions.md, "A miss is a request that needed an origin's content where a copy could have served"."""
    assert handling.is_miss is is_miss


@pytest.mark.row("KEY-07")
def test_another_name_in_tls_is_refused_if_the_operator_wants_that() -> None:
    strict = replace(POLICY, requests=replace(POLICY.requests, strict_host=True))
    other_name = replace(REQUEST, tls_name="b.example")
    refused = engine.on_request(other_name, (), strict, NOW)
    assert isinstance(refused, Refuse)
    assert (refused.response.head.status, refused.reason) == (400, Refused.STRICT_HOST)
    forwarded = engine.on_request(other_name, (), POLICY, NOW)
    assert isinstance(forwarded, Forward)
    assert forwarded.fwd is Forwarded.BYPASS
    for name in ("a.example", "A.EXAMPLE", None):
        same_name = engine.on_request(replace(REQUEST, tls_name=name), (), strict, NOW)
        assert isinstance(same_name, Forward)
        assert same_name.fwd is Forwarded.URI_MISS


@pytest.mark.row("STATUS-25")
@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        ("http_request_error", 400, Refused.FETCH_FAILED),
        ("connection_timeout", 504, Refused.FETCH_FAILED),
        ("http_protocol_error", 502, Refused.FETCH_FAILED),
        ("destination_ip_prohibited", 502, Refused.TARGET),
    ],
)
def test_each_failure_has_its_status_and_its_reason(error: str, status: int, reason: Refused) -> None:
    sent = engine.forward_after_damage(REQUEST, POLICY)
    assert sent.fwd is Forwarded.URI_MISS
    refused = engine.on_failure(REQUEST, sent, POLICY, NOW, error=error, sentence="It failed.", disconnected=False)
    assert isinstance(refused, Refuse)
    assert (refused.response.head.status, refused.reason) == (status, reason)


@pytest.mark.row("INVAL-01")
@pytest.mark.parametrize(("status", "invalidates"), [(199, False), (200, True), (399, True), (400, False)])
def test_only_a_response_that_is_no_error_invalidates_stored_responses(status: int, invalidates: bool) -> None:
    assert bool(invalidated_keys(replace(REQUEST, method="PUT"), Response(status, ""))) is invalidates


@pytest.mark.parametrize(
    ("content_type", "searched"), [("application/json", True), ("application/ld+json", True), ("text/html", False)]
)
def test_only_json_is_searched_for_secrets(content_type: str, searched: bool) -> None:
    secrets = frozenset({"token"})
    policy = replace(POLICY, private=replace(POLICY.private, secrets=secrets))
    assert secrets_in(Fields((("Content-Type", content_type),)), policy) == (secrets if searched else frozenset())
