"""What one user's cache keeps beyond the rules, uses offline alone, and hides from everybody else's policy."""

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
from cache.rules.stored_response import StoredResponse

NOW = 1_800_000_000.0
URI = "https://a.test/x"
REQUEST = request_for(URI)
DEV = CachePolicy(
    private=PrivateCache("dev", keep_private=True, keep_unfresh=True, keep_no_store=True, override_offline=True)
)
OFFLINE = replace(DEV, network=replace(DEV.network, mode=Mode.OFFLINE))


def answered(
    policy: CachePolicy, *fields: tuple[str, str], status: int = 200, request: Request = REQUEST
) -> Store | Relay:
    """What an origin's answer leads to."""
    sent = on_request(request, (), policy, NOW)
    assert isinstance(sent, Forward)
    outcome = on_response(request, sent, Received(Response(status, "", Fields(fields)), NOW, NOW), policy, "0" * 32)
    assert isinstance(outcome, Store | Relay)
    return outcome


def kept(policy: CachePolicy, *fields: tuple[str, str]) -> StoredResponse:
    outcome = answered(policy, *fields)
    assert isinstance(outcome, Store)
    return outcome.entry


FORBIDDING = ["no-store", "no-cache", "max-age=1, must-revalidate", "s-maxage=1", "private, no-cache"]


@pytest.mark.parametrize("said", FORBIDDING)
def test_offline_the_profile_overrides_named_prohibitions_and_says_so(said: str) -> None:
    entry = kept(DEV, ("Cache-Control", said))
    served = on_request(request_for(URI), [entry], OFFLINE, NOW + 1000)
    assert isinstance(served, Serve)
    assert served.detail is Detail.OVERRIDE_OFFLINE
    assert served.response.head.status == 203
    assert served.valid_until <= NOW + 1000
    assert (served.response.head.fields.get("cache-status") or "").endswith("; detail=override-offline")


@pytest.mark.parametrize("said", FORBIDDING)
def test_online_the_same_prohibitions_hold(said: str) -> None:
    entry = kept(DEV, ("Cache-Control", said), ("ETag", '"x"'))
    sent = on_request(request_for(URI), [entry], DEV, NOW + 1000)
    assert isinstance(sent, Validate)
    assert sent.fwd is Forwarded.STALE


def test_a_failure_to_connect_counts_as_offline() -> None:
    entry = kept(DEV, ("Cache-Control", "no-cache"))
    sent = on_request(request_for(URI), [entry], DEV, NOW)
    assert isinstance(sent, Forward)
    served = on_failure(request_for(URI), sent, DEV, NOW, error="dns_error", sentence="No.", disconnected=True)
    assert isinstance(served, Serve)
    assert served.handling.detail is Detail.OVERRIDE_OFFLINE


@pytest.mark.parametrize("said", FORBIDDING)
def test_a_shared_policy_sees_nothing_of_it_not_even_its_validators(said: str) -> None:
    entry = kept(DEV, ("Cache-Control", said), ("ETag", '"x"'), ("Vary", "*"))
    sent = on_request(request_for(URI), [entry], CachePolicy(), NOW)
    assert isinstance(sent, Forward)
    assert not sent.to_validate
    assert "if-none-match" not in sent.request.fields


def test_the_profile_sees_what_is_shared() -> None:
    entry = kept(CachePolicy(), ("Cache-Control", "max-age=60"))
    assert isinstance(on_request(request_for(URI), [entry], DEV, NOW), Serve)


def test_answers_to_authorized_requests_are_kept_only_where_that_is_said() -> None:
    request = request_for(URI, Fields((("Authorization", "Basic eDp5"),)))
    outcome = answered(DEV, ("Cache-Control", "max-age=60"), request=request)
    assert isinstance(outcome, Relay)
    assert outcome.not_stored is NotStored.AUTHORIZATION
    here, elsewhere = (
        replace(DEV, private=replace(DEV.private, keep_authorized=(glob(path),))) for path in ("/x", "/y/*")
    )
    assert isinstance(answered(here, ("Cache-Control", "max-age=60"), request=request), Store)
    assert isinstance(answered(elsewhere, ("Cache-Control", "max-age=60"), request=request), Relay)


@pytest.mark.parametrize("private", [True, False])
def test_what_was_given_to_one_credential_is_not_there_for_another(private: bool) -> None:
    keeping = replace(
        DEV,
        keying=replace(DEV.keying, credential_key=b"k" * 32),
        private=PrivateCache("dev", keep_private=private, keep_authorized=(ANYTHING,)),
    )

    def asking(*credential: str) -> Request:
        return request_for(URI, Fields(tuple(("Authorization", each) for each in credential)))

    outcome = answered(keeping, ("Cache-Control", "max-age=60"), ("ETag", '"1"'), request=asking("Basic eDp5"))
    assert isinstance(outcome, Store)
    assert "eDp5" not in repr(outcome.entry)
    assert isinstance(on_request(asking("Basic eDp5"), [outcome.entry], keeping, NOW), Serve)
    for other in (asking(), asking("Basic eDp6"), asking("Basic eDp5", "Basic eDp6")):
        sent = on_request(other, [outcome.entry], keeping, NOW)
        assert isinstance(sent, Forward), "and its validator is not sent, or a 304 would show it"
        assert sent.fwd is Forwarded.URI_MISS
        assert isinstance(
            on_request(
                other, [outcome.entry], replace(keeping, network=replace(keeping.network, mode=Mode.OFFLINE)), NOW
            ),
            Refuse,
        )


def test_what_any_credential_will_do_for_is_used_offline_and_in_the_same_store_alone() -> None:
    keeping = replace(DEV, private=PrivateCache("dev", keep_authorized_for_any=(glob("/x"),)))
    offline = replace(keeping, network=replace(keeping.network, mode=Mode.OFFLINE))
    anna, bert = (request_for(URI, Fields((("Authorization", f"Bearer {token}"),))) for token in ("1", "2"))
    outcome = answered(keeping, ("Cache-Control", "max-age=60"), ("ETag", '"1"'), request=anna)
    assert isinstance(outcome, Store)
    for request in (anna, bert, REQUEST):
        assert isinstance(on_request(request, [outcome.entry], offline, NOW), Serve)
        asked = on_request(request, [outcome.entry], keeping, NOW)
        assert isinstance(asked, Validate), "while there is an origin, it says who may have it"
        for policy in (
            CachePolicy(),
            replace(offline, private=replace(offline.private, scope="")),
            replace(offline, private=replace(offline.private, scope="another")),
            replace(offline, private=PrivateCache("dev", keep_authorized=(ANYTHING,))),
        ):
            unseen = on_request(request, [outcome.entry], policy, NOW)
            assert isinstance(unseen, Forward | Refuse), "nor are its validators sent"


@pytest.mark.parametrize("said", ["max-age=60", "max-age=0, must-revalidate", "public"])
def test_a_401_to_a_refused_credential_takes_the_place_of_nothing(said: str) -> None:
    keeping = replace(DEV, private=replace(DEV.private, keep_authorized=(ANYTHING,)))
    refused = request_for(URI, Fields((("Authorization", "Basic eDp5"),)))
    outcome = answered(keeping, ("Cache-Control", said), status=401, request=refused)
    assert isinstance(outcome, Relay)
    assert outcome.not_stored is NotStored.CHALLENGE


@pytest.mark.parametrize(("policy", "is_kept"), [(DEV, False), (CachePolicy(), True)])
def test_a_401_to_no_credential_takes_the_place_of_nothing_in_one_users_cache(
    policy: CachePolicy, is_kept: bool
) -> None:
    entry = kept(policy, ("Cache-Control", "max-age=1"))
    sent = on_request(REQUEST, [entry], policy, NOW + 9)
    assert isinstance(sent, Forward)
    challenge = Response(401, "", Fields((("Cache-Control", "max-age=60"),)))
    outcome = on_response(REQUEST, sent, Received(challenge, NOW + 9, NOW + 9), policy, "1" * 32)
    assert isinstance(outcome, Store) is is_kept
    if isinstance(outcome, Relay):
        assert outcome.not_stored is NotStored.CHALLENGE
        [left] = [change.entry for change in outcome.changes if isinstance(change, Update)]
        assert isinstance(on_request(REQUEST, [left], OFFLINE, NOW + 9), Serve)


def test_what_a_credential_was_given_is_chosen_before_a_later_401_to_whoever_had_none() -> None:
    keeping = replace(
        DEV, network=replace(DEV.network, mode=Mode.ONLINE), private=replace(DEV.private, keep_authorized=(ANYTHING,))
    )
    authorized = request_for(URI, Fields((("Authorization", "Basic eDp5"),)))
    given, told = answered(keeping, request=authorized), answered(keeping, status=401)
    assert isinstance(given, Store)
    assert isinstance(told, Store)
    later = replace(told.entry, response_time=NOW + 9)
    for request, status in ((authorized, 203), (REQUEST, 401)):
        served = on_request(
            request,
            [later, given.entry],
            replace(keeping, network=replace(keeping.network, mode=Mode.OFFLINE)),
            NOW + 9,
        )
        assert isinstance(served, Serve)
        assert served.response.head.status == status


def test_what_everybody_may_have_is_shared_whoever_asked_first() -> None:
    keeping = replace(DEV, private=PrivateCache("dev", keep_authorized=(ANYTHING,)))
    request = request_for(URI, Fields((("Authorization", "Basic eDp5"),)))
    outcome = answered(keeping, ("Cache-Control", "public, max-age=60"), request=request)
    assert isinstance(outcome, Store)
    assert isinstance(on_request(REQUEST, [outcome.entry], keeping, NOW), Serve)


def test_what_is_validated_behind_a_hit_bears_the_credential_that_it_was_given_to() -> None:
    keeping = replace(DEV, private=PrivateCache("dev", keep_authorized=(ANYTHING,)))
    request = request_for(URI, Fields((("Authorization", "Basic eDp5"),)))
    outcome = answered(keeping, ("Cache-Control", "max-age=1, stale-while-revalidate=60"), request=request)
    assert isinstance(outcome, Store)
    served = on_request(request, [outcome.entry], keeping, NOW + 2)
    assert isinstance(served, Serve)
    assert served.background_validation
    assert served.background_validation.request.fields.get("authorization") == "Basic eDp5"


@pytest.mark.parametrize(("status", "is_kept"), [(200, True), (302, True), (401, True), (404, True), (500, False)])
def test_what_says_nothing_of_freshness_is_kept_if_a_build_needs_it(status: int, is_kept: bool) -> None:
    assert isinstance(answered(DEV, status=status), Store) is is_kept
    assert isinstance(answered(CachePolicy(), status=status), Relay)


def test_a_secret_that_a_response_varies_by_is_kept_as_a_keyed_hash() -> None:
    keeping = replace(
        DEV,
        private=replace(DEV.private, secrets=frozenset({"x-api-key"})),
        keying=replace(DEV.keying, credential_key=b"k" * 32),
    )

    def asking(key: str) -> Request:
        return request_for(URI, Fields((("X-Api-Key", key),)))

    outcome = answered(keeping, ("Cache-Control", "max-age=60"), ("Vary", "X-Api-Key"), request=asking("s3cr3t"))
    assert isinstance(outcome, Store)
    assert "s3cr3t" not in repr(outcome.entry)
    assert isinstance(on_request(asking("s3cr3t"), [outcome.entry], keeping, NOW), Serve)
    assert isinstance(on_request(asking("another"), [outcome.entry], keeping, NOW), Forward)


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
def test_a_signature_is_no_part_of_the_key_nor_of_what_is_written(target: str, key: str) -> None:
    request = without_dropped_parameters(request_for(f"https://a.test{target}"), [RULE])
    assert primary_key(request) == f"https://a.test{key}"
    assert request.target == target
    outcome = answered(CachePolicy(), ("Cache-Control", "max-age=60"), request=request)
    assert isinstance(outcome, Store)
    assert outcome.entry.target == f"https://a.test{key}"


FETCH = Request("POST", "https", "a.test", 443, "/r.git/git-upload-pack", has_content=True)


def test_a_post_that_only_reads_is_kept_by_its_content_and_invalidates_nothing() -> None:
    asked = replace(FETCH, content_digest="1" * 64)
    outcome = answered(DEV, ("Cache-Control", "no-cache"), request=asked)
    assert isinstance(outcome, Store)
    assert not outcome.changes
    assert isinstance(on_request(asked, [outcome.entry], OFFLINE, NOW), Serve)
    assert primary_key(replace(asked, content_digest="2" * 64)) != outcome.entry.key


def test_any_other_post_is_refused_offline() -> None:
    assert isinstance(on_request(FETCH, (), OFFLINE, NOW), Refuse)


@pytest.mark.parametrize(("method", "media_type", "reads"), [
    ("POST", "application/x-git-upload-pack-request", True),
    ("POST", "application/json", False),
    ("PUT", "application/x-git-upload-pack-request", False),
])  # fmt: skip
def test_which_posts_only_read(method: str, media_type: str, reads: bool) -> None:
    rule = PostRule(glob("*"), glob("*/git-upload-pack"), glob("application/x-git-upload-pack-request"))
    assert is_reading_post(replace(FETCH, method=method), media_type, [rule]) is reads
