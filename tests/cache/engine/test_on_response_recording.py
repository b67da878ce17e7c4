"""Recording and replaying: the caching rules that they overrule, and those that they do not.

See docs/decisions.md, "While a recording is made, the origin answers every request".
"""

from __future__ import annotations

import math

import pytest

from cache.engine import on_request
from cache.engine.decisions import Forward, Refuse, Relay, Serve
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail, Forwarded, NotStored, Refused
from cache.policy.recordings import recording_policy, replaying_policy
from tests.cache.examples import NOW, entry_of, outcome, request

RECORDING = recording_policy(CachePolicy(), "demo")
REPLAYING = replaying_policy(CachePolicy(), "demo")

PROHIBITIONS = [
    [("Cache-Control", "no-store")],
    [("Cache-Control", "private")],
    [("Cache-Control", "no-cache, must-revalidate")],
    [("Vary", "Authorization")],
    [("Vary", "*")],
    [("Vary", "Cookie"), ("Cache-Control", "max-age=0")],
    [("Content-Type", "text/event-stream")],
    [],
]


@pytest.mark.parametrize("fields", PROHIBITIONS)
def test_a_response_that_no_shared_cache_may_store_is_recorded_and_replayed_at_any_time(
    fields: list[tuple[str, str]],
) -> None:
    credentials = ("Authorization", "Bearer 1"), ("Cookie", "a=1"), ("Cache-Control", "no-store")
    entry = entry_of(RECORDING, request(*credentials), *fields)
    for later in (
        request(),
        request(("Authorization", "Bearer 2"), ("Cache-Control", "no-cache, max-age=0, no-store")),
    ):
        served = on_request(later, (entry,), REPLAYING, NOW + 1e8)
        assert isinstance(served, Serve)
        assert (served.response.head.status, served.detail) == (203, Detail.REPLAY)
        assert served.valid_until == math.inf


def test_while_recording_every_request_is_forwarded_without_conditions() -> None:
    entry = entry_of(RECORDING, request(), ("Cache-Control", "max-age=600"))
    conditional = request(("If-None-Match", '"1"'), ("If-Modified-Since", "Fri, 06 Nov 2026 21:00:00 GMT"))
    sent = on_request(conditional, (entry,), RECORDING, NOW)
    assert isinstance(sent, Forward)
    assert (sent.fwd, sent.detail) == (Forwarded.BYPASS, Detail.RECORDING)
    assert {name for name, _ in sent.request.fields} == {"Via"}


def test_a_response_that_could_answer_no_request_is_not_recorded() -> None:
    for status in (206, 416, 429):
        relayed = outcome(RECORDING, request(), status=status)
        assert isinstance(relayed, Relay)
        assert relayed.not_stored in (NotStored.STATUS, NotStored.PARTIAL_UNASKED)
    post = request(method="POST")
    relayed = outcome(RECORDING, post, ("Content-Location", "/"), ("Cache-Control", "max-age=60"))
    assert isinstance(relayed, Relay)
    assert relayed.not_stored is NotStored.METHOD


def test_while_recording_only_if_cached_is_refused() -> None:
    refused = on_request(request(("Cache-Control", "only-if-cached")), (), RECORDING, NOW)
    assert isinstance(refused, Refuse)
    assert refused.reason is Refused.ONLY_IF_CACHED


@pytest.mark.parametrize("missing", [request(), request(method="POST"), request(("If-Match", '"1"'))])
def test_a_request_that_was_not_recorded_gets_504_with_the_name_of_the_recording(missing: Request) -> None:
    refused = on_request(missing, (), REPLAYING, NOW)
    assert isinstance(refused, Refuse)
    assert (refused.reason, refused.response.head.status) == (Refused.REPLAY, 504)
    assert b"The recording demo has no response" in refused.response.content


def test_a_variant_that_was_not_recorded_is_refused() -> None:
    entry = entry_of(RECORDING, request(("Accept-Language", "de")), ("Vary", "Accept-Language"))
    assert isinstance(on_request(request(("Accept-Language", "fr")), (entry,), REPLAYING, NOW), Refuse)
