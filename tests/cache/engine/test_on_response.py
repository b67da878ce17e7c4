"""What conversations have no words for: errors of the way to an origin, names that contradict each other, counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache import engine
from cache.answer.cache_status import Handling
from cache.engine.decisions import Forward, Refuse
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Forwarded, Refused
from cache.rules.invalidation import invalidated_keys
from cache.rules.secrets import secrets_in

NOW = 1_795_435_200.0
POLICY = CachePolicy()
REQUEST = Request("GET", "https", "a.example", 443, "/a", Fields((("Host", "a.example"),)))


@pytest.mark.parametrize(
    ("handling", "counts"),
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
def test_a_miss_is_what_took_content_that_a_copy_could_have_been(handling: Handling, counts: bool) -> None:
    assert handling.is_miss is counts


@pytest.mark.row("KEY-07")
def test_another_name_in_tls_is_refused_where_the_operator_wants_that() -> None:
    request = replace(REQUEST, tls_name="b.example")
    strict = engine.on_request(request, (), replace(POLICY, requests=replace(POLICY.requests, strict_host=True)), NOW)
    assert isinstance(strict, Refuse)
    assert (strict.response.head.status, strict.reason) == (400, Refused.STRICT_HOST)
    lenient = engine.on_request(request, (), POLICY, NOW)
    assert isinstance(lenient, Forward)
    assert lenient.fwd is Forwarded.BYPASS
    for name in ("a.example", "A.EXAMPLE", None):
        same = engine.on_request(
            replace(REQUEST, tls_name=name),
            (),
            replace(POLICY, requests=replace(POLICY.requests, strict_host=True)),
            NOW,
        )
        assert isinstance(same, Forward)
        assert same.fwd is Forwarded.URI_MISS


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
@pytest.mark.parametrize(("status", "doubted"), [(199, False), (200, True), (399, True), (400, False)])
def test_only_an_answer_that_is_no_error_outdates_what_is_stored(status: int, doubted: bool) -> None:
    assert bool(invalidated_keys(replace(REQUEST, method="PUT"), Response(status, ""))) is doubted


@pytest.mark.parametrize(
    ("kind", "searched"), [("application/json", True), ("application/ld+json", True), ("text/html", False)]
)
def test_secrets_are_looked_for_in_json_alone(kind: str, searched: bool) -> None:
    policy = replace(POLICY, private=replace(POLICY.private, secrets=frozenset({"token"})))
    assert secrets_in(Fields((("Content-Type", kind),)), policy) == (
        policy.private.secrets if searched else frozenset()
    )
