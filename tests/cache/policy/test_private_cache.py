"""One user's cache: responses that only it stores, that it may use offline alone, or that no other policy may see.

See docs/decisions.md, "One user's cache".
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.engine import on_failure, on_request, on_response
from cache.engine.decisions import Forward, Refuse, Relay, Serve, Store, Update, Validate
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import ANYTHING, Mode, PostRule, QueryRule, glob
from cache.policy.private_cache import PrivateCache, is_reading_post, without_dropped_parameters
from cache.policy.reasons import Detail, Forwarded, NotStored
from cache.rules.key import primary_key, request_for
from tests.cache.examples import NOW, entry_of, outcome

URI = "https://a.test/x"
REQUEST = request_for(URI)
SHARED = CachePolicy()
DEV = CachePolicy(
    private=PrivateCache("dev", keep_private=True, keep_unfresh=True, keep_no_store=True, override_offline=True)
)
FRESH = ("Cache-Control", "max-age=60")
TAG = ("ETag", '"1"')
PROHIBITIONS = ["no-store", "no-cache", "max-age=1, must-revalidate", "s-maxage=1", "private, no-cache"]


def offline(policy: CachePolicy) -> CachePolicy:
    return replace(policy, network=replace(policy.network, mode=Mode.OFFLINE))


def private(policy: CachePolicy, **settings: object) -> CachePolicy:
    """Return the policy with other settings of one user's cache."""
    return replace(policy, private=replace(policy.private, **settings))


def authorized(*credentials: str) -> Request:
    """Return the request with a line of Authorization for each credential."""
    return request_for(URI, Fields(tuple(("Authorization", each) for each in credentials)))


USER = authorized("Basic eDp5")
"""A request with a credential."""

WITH_KEY = replace(DEV, keying=replace(DEV.keying, credential_key=b"k" * 32))
"""A policy that can hash credentials."""


# ---- responses that a shared cache must not store or reuse


@pytest.mark.parametrize("directives", PROHIBITIONS)
def test_offline_the_profile_overrules_prohibitions_and_names_itself(directives: str) -> None:
    entry = entry_of(DEV, REQUEST, ("Cache-Control", directives))
    served = on_request(REQUEST, [entry], offline(DEV), NOW + 1000)
    assert isinstance(served, Serve)
    assert served.detail is Detail.OVERRIDE_OFFLINE
    assert served.response.head.status == 203
    assert served.valid_until <= NOW + 1000
    assert (served.response.head.fields.get("cache-status") or "").endswith("; detail=override-offline")


@pytest.mark.parametrize("directives", PROHIBITIONS)
def test_online_the_same_prohibitions_are_obeyed(directives: str) -> None:
    entry = entry_of(DEV, REQUEST, ("Cache-Control", directives), TAG)
    sent = on_request(REQUEST, [entry], DEV, NOW + 1000)
    assert isinstance(sent, Validate)
    assert sent.fwd is Forwarded.STALE


def test_a_failure_to_connect_counts_as_offline() -> None:
    entry = entry_of(DEV, REQUEST, ("Cache-Control", "no-cache"))
    sent = on_request(REQUEST, [entry], DEV, NOW)
    assert isinstance(sent, Forward)
    served = on_failure(REQUEST, sent, DEV, NOW, error="dns_error", sentence="No.", disconnected=True)
    assert isinstance(served, Serve)
    assert served.handling.detail is Detail.OVERRIDE_OFFLINE


@pytest.mark.parametrize("directives", PROHIBITIONS)
def test_a_shared_policy_does_not_see_such_a_response_nor_send_its_validators(directives: str) -> None:
    entry = entry_of(DEV, REQUEST, ("Cache-Control", directives), TAG, ("Vary", "*"))
    sent = on_request(REQUEST, [entry], SHARED, NOW)
    assert isinstance(sent, Forward)
    assert not sent.to_validate
    assert "if-none-match" not in sent.request.fields


def test_the_profile_sees_responses_that_a_shared_policy_stored() -> None:
    entry = entry_of(SHARED, REQUEST, FRESH)
    assert isinstance(on_request(REQUEST, [entry], DEV, NOW), Serve)


@pytest.mark.parametrize(("status", "is_stored"), [(200, True), (302, True), (401, True), (404, True), (500, False)])
def test_a_response_without_freshness_is_stored_if_a_build_may_need_it(status: int, is_stored: bool) -> None:
    assert isinstance(outcome(DEV, REQUEST, status=status), Store) is is_stored
    assert isinstance(outcome(SHARED, REQUEST, status=status), Relay)


# ---- credentials


def test_a_response_to_an_authorized_request_is_stored_only_where_the_settings_say_so() -> None:
    relayed = outcome(DEV, USER, FRESH)
    assert isinstance(relayed, Relay)
    assert relayed.not_stored is NotStored.AUTHORIZATION
    here, elsewhere = (private(DEV, keep_authorized=(glob(path),)) for path in ("/x", "/y/*"))
    assert isinstance(outcome(here, USER, FRESH), Store)
    assert isinstance(outcome(elsewhere, USER, FRESH), Relay)


@pytest.mark.parametrize("keep_private", [True, False])
def test_a_response_given_to_one_credential_is_invisible_to_others(keep_private: bool) -> None:
    policy = replace(WITH_KEY, private=PrivateCache("dev", keep_private=keep_private, keep_authorized=(ANYTHING,)))
    entry = entry_of(policy, USER, FRESH, TAG)
    assert "eDp5" not in repr(entry)
    assert isinstance(on_request(USER, [entry], policy, NOW), Serve)
    for other in (REQUEST, authorized("Basic eDp6"), authorized("Basic eDp5", "Basic eDp6")):
        sent = on_request(other, [entry], policy, NOW)
        assert isinstance(sent, Forward), "its validator is not sent either: a 304 would reveal the response"
        assert sent.fwd is Forwarded.URI_MISS
        assert isinstance(on_request(other, [entry], offline(policy), NOW), Refuse)


def test_a_response_for_any_credential_is_used_only_offline_and_by_the_same_profile() -> None:
    """See docs/decisions.md, "Exception: credentials that are new each time"."""
    policy = replace(DEV, private=PrivateCache("dev", keep_authorized_for_any=(glob("/x"),)))
    entry = entry_of(policy, authorized("Bearer 1"), FRESH, TAG)
    for request in (authorized("Bearer 1"), authorized("Bearer 2"), REQUEST):
        assert isinstance(on_request(request, [entry], offline(policy), NOW), Serve)
        sent = on_request(request, [entry], policy, NOW)
        assert isinstance(sent, Validate), "online, the origin decides by revalidation"
        for other in (
            SHARED,
            private(offline(policy), scope=""),
            private(offline(policy), scope="another"),
            replace(offline(policy), private=PrivateCache("dev", keep_authorized=(ANYTHING,))),
        ):
            unseen = on_request(request, [entry], other, NOW)
            assert isinstance(unseen, Forward | Refuse), "its validators are not sent either"


def test_a_public_response_to_an_authorized_request_is_shared() -> None:
    policy = replace(DEV, private=PrivateCache("dev", keep_authorized=(ANYTHING,)))
    entry = entry_of(policy, USER, ("Cache-Control", "public, max-age=60"))
    assert isinstance(on_request(REQUEST, [entry], policy, NOW), Serve)


def test_a_background_revalidation_has_the_credential_of_the_request() -> None:
    policy = replace(DEV, private=PrivateCache("dev", keep_authorized=(ANYTHING,)))
    entry = entry_of(policy, USER, ("Cache-Control", "max-age=1, stale-while-revalidate=60"))
    served = on_request(USER, [entry], policy, NOW + 2)
    assert isinstance(served, Serve)
    assert served.background_validation
    assert served.background_validation.request.fields.get("authorization") == "Basic eDp5"


def test_a_secret_in_vary_is_stored_as_a_keyed_hash() -> None:
    policy = private(WITH_KEY, secrets=frozenset({"x-api-key"}))

    def with_secret(secret: str) -> Request:
        return request_for(URI, Fields((("X-Api-Key", secret),)))

    entry = entry_of(policy, with_secret("s3cr3t"), FRESH, ("Vary", "X-Api-Key"))
    assert "s3cr3t" not in repr(entry)
    assert isinstance(on_request(with_secret("s3cr3t"), [entry], policy, NOW), Serve)
    assert isinstance(on_request(with_secret("another"), [entry], policy, NOW), Forward)


# ---- 401: docs/decisions.md, "A refused credential deletes nothing"


@pytest.mark.parametrize("directives", ["max-age=60", "max-age=0, must-revalidate", "public"])
def test_a_401_to_a_refused_credential_is_not_stored(directives: str) -> None:
    policy = private(DEV, keep_authorized=(ANYTHING,))
    relayed = outcome(policy, USER, ("Cache-Control", directives), status=401)
    assert isinstance(relayed, Relay)
    assert relayed.not_stored is NotStored.CHALLENGE


@pytest.mark.parametrize(("policy", "replaces"), [(DEV, False), (SHARED, True)])
def test_a_401_to_no_credential_replaces_no_response_in_one_users_cache(policy: CachePolicy, replaces: bool) -> None:
    entry = entry_of(policy, REQUEST, ("Cache-Control", "max-age=1"))
    sent = on_request(REQUEST, [entry], policy, NOW + 9)
    assert isinstance(sent, Forward)
    challenge = Response(401, "", Fields((FRESH,)))
    decision = on_response(REQUEST, sent, Received(challenge, NOW + 9, NOW + 9), policy, "1" * 32)
    assert isinstance(decision, Store) is replaces
    if isinstance(decision, Relay):
        assert decision.not_stored is NotStored.CHALLENGE
        [kept] = [change.entry for change in decision.changes if isinstance(change, Update)]
        assert isinstance(on_request(REQUEST, [kept], offline(DEV), NOW + 9), Serve)


def test_the_response_for_a_credential_is_preferred_to_a_later_401_without_one() -> None:
    policy = private(DEV, keep_authorized=(ANYTHING,))
    policy = replace(policy, network=replace(policy.network, mode=Mode.ONLINE))
    given, challenge = outcome(policy, USER), outcome(policy, REQUEST, status=401)
    assert isinstance(given, Store)
    assert isinstance(challenge, Store)
    entries = [replace(challenge.entry, response_time=NOW + 9), given.entry]
    for request, status in ((USER, 203), (REQUEST, 401)):
        served = on_request(request, entries, offline(policy), NOW + 9)
        assert isinstance(served, Serve)
        assert served.response.head.status == status


# ---- keys


RULE = QueryRule(glob("*.test"), glob("/files/*"), (glob("X-Amz-*"), glob("Signature")))


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("/files/a?X-Amz-Date=1&v=2&Signature=x", "/files/a?v=2"),
        ("/files/a?Signature=x", "/files/a"),
        ("/files/a?v=2", "/files/a?v=2"),
        ("/other/a?Signature=x", "/other/a?Signature=x"),
    ],
)
def test_a_signature_is_in_neither_the_key_nor_the_entry(target: str, key: str) -> None:
    request = without_dropped_parameters(request_for(f"https://a.test{target}"), [RULE])
    assert primary_key(request) == f"https://a.test{key}"
    assert request.target == target
    assert entry_of(SHARED, request, FRESH).target == f"https://a.test{key}"


FETCH = Request("POST", "https", "a.test", 443, "/r.git/git-upload-pack", has_content=True)


def test_a_post_that_only_reads_is_stored_by_its_content_and_invalidates_nothing() -> None:
    request = replace(FETCH, content_digest="1" * 64)
    stored = outcome(DEV, request, ("Cache-Control", "no-cache"))
    assert isinstance(stored, Store)
    assert not stored.changes
    assert isinstance(on_request(request, [stored.entry], offline(DEV), NOW), Serve)
    assert primary_key(replace(request, content_digest="2" * 64)) != stored.entry.key


def test_any_other_post_is_refused_offline() -> None:
    assert isinstance(on_request(FETCH, (), offline(DEV), NOW), Refuse)


@pytest.mark.parametrize(
    ("method", "media_type", "only_reads"),
    [
        ("POST", "application/x-git-upload-pack-request", True),
        ("POST", "application/json", False),
        ("PUT", "application/x-git-upload-pack-request", False),
    ],
)
def test_a_post_only_reads_if_method_and_media_type_match_the_rule(
    method: str, media_type: str, only_reads: bool
) -> None:
    rule = PostRule(glob("*"), glob("*/git-upload-pack"), glob("application/x-git-upload-pack-request"))
    assert is_reading_post(replace(FETCH, method=method), media_type, [rule]) is only_reads
