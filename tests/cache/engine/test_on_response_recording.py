"""What a recording keeps, and what it answers: the rules that it overrides, and those that it does not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cache.engine import on_request, on_response
from cache.engine.decisions import Forward, Refuse, Relay, Serve, Store
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail, Forwarded, NotStored, Refused
from cache.policy.recordings import recording_policy, replaying_policy
from cache.rules.key import request_for
from cache.rules.stored_response import StoredResponse

NOW = 1_794_000_000.0
RECORDING = recording_policy(CachePolicy(), "demo")
REPLAYING = replaying_policy(CachePolicy(), "demo")


def asked(*fields: tuple[str, str], method: str = "GET") -> Request:
    return replace(request_for("http://a.test/", Fields(fields)), method=method)


def outcome(request: Request, *fields: tuple[str, str], status: int = 200) -> Store | Relay:
    """Return what becomes of an answer while a recording is made."""
    sent = on_request(request, (), RECORDING, NOW)
    assert isinstance(sent, Forward)
    decided = on_response(request, sent, Received(Response(status, "", Fields(fields)), NOW, NOW), RECORDING, "0" * 32)
    assert isinstance(decided, Store | Relay)
    return decided


def recorded(request: Request, *fields: tuple[str, str]) -> StoredResponse:
    decided = outcome(request, *fields)
    assert isinstance(decided, Store)
    return decided.entry


FORBIDDING = [
    [("Cache-Control", "no-store")],
    [("Cache-Control", "private")],
    [("Cache-Control", "no-cache, must-revalidate")],
    [("Vary", "Authorization")],
    [("Vary", "*")],
    [("Vary", "Cookie"), ("Cache-Control", "max-age=0")],
    [("Content-Type", "text/event-stream")],
    [],
]


@pytest.mark.parametrize("fields", FORBIDDING)
def test_what_no_shared_cache_may_keep_is_recorded_and_replayed_years_later(fields: list[tuple[str, str]]) -> None:
    credentials = ("Authorization", "Bearer 1"), ("Cookie", "a=1"), ("Cache-Control", "no-store")
    entry = recorded(asked(*credentials), *fields)
    for later in (asked(), asked(("Authorization", "Bearer 2"), ("Cache-Control", "no-cache, max-age=0, no-store"))):
        decided = on_request(later, (entry,), REPLAYING, NOW + 1e8)
        assert isinstance(decided, Serve)
        assert (decided.response.head.status, decided.detail) == (203, Detail.REPLAY)
        assert decided.valid_until == math.inf


def test_every_request_goes_to_the_origin_whatever_is_recorded_and_whatever_the_client_has() -> None:
    entry = recorded(asked(), ("Cache-Control", "max-age=600"))
    request = asked(("If-None-Match", '"1"'), ("If-Modified-Since", "Fri, 06 Nov 2026 21:00:00 GMT"))
    decided = on_request(request, (entry,), RECORDING, NOW)
    assert isinstance(decided, Forward)
    assert (decided.fwd, decided.detail) == (Forwarded.BYPASS, Detail.RECORDING)
    assert {name for name, _ in decided.request.fields} == {"Via"}


def test_a_recording_keeps_no_answer_that_nothing_could_be_answered_from() -> None:
    for status in (206, 416, 429):
        decided = outcome(asked(), status=status)
        assert isinstance(decided, Relay)
        assert decided.not_stored in (NotStored.STATUS, NotStored.PARTIAL_UNASKED)
    posted = outcome(asked(method="POST"), ("Content-Location", "/"), ("Cache-Control", "max-age=60"))
    assert isinstance(posted, Relay)
    assert posted.not_stored is NotStored.METHOD


def test_nothing_is_forwarded_that_asks_for_copies_alone() -> None:
    decided = on_request(asked(("Cache-Control", "only-if-cached")), (), RECORDING, NOW)
    assert isinstance(decided, Refuse)
    assert decided.reason is Refused.ONLY_IF_CACHED


@pytest.mark.parametrize("request_", [asked(), asked(method="POST"), asked(("If-Match", '"1"'))])
def test_what_a_recording_does_not_hold_is_a_504_with_its_name(request_: Request) -> None:
    decided = on_request(request_, (), REPLAYING, NOW)
    assert isinstance(decided, Refuse)
    assert (decided.reason, decided.response.head.status) == (Refused.REPLAY, 504)
    assert b"The recording demo has no response" in decided.response.content


def test_another_variant_is_not_the_one_that_was_recorded() -> None:
    entry = recorded(asked(("Accept-Language", "de")), ("Vary", "Accept-Language"))
    assert isinstance(on_request(asked(("Accept-Language", "fr")), (entry,), REPLAYING, NOW), Refuse)
