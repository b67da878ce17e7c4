"""Responses to a Cookie, to Authorization or to an API key whose origin gives them no lifetime: they may be for one user only."""

from typing import Any

from tests.lanes.script import (
    Conversation,
    Step,
    all_requests_wait,
    answer,
    ask,
    conversation,
    later,
    offline,
    origin,
    origin_gone,
    origin_silent,
)
from tests.rfc.common_steps import MISS, STORED, VALIDATED, hit

ALICE, BOB = "Cookie: sid=alice", "Cookie: sid=bob"
API_KEYS = ("X-Api-Key", "Private-Token", "x_auth_token", "X-Amz-Security-Token", "X-Session-Id", "X-Jwt-Assertion")
MODIFIED = "Last-Modified: {start-9999}"
TAG = 'ETag: "1"'
NO_LIFETIME: dict[str, tuple[str, ...]] = {
    "Last-Modified alone": (MODIFIED,),
    "ETag alone": (TAG,),
    "max-age=0": ("Cache-Control: max-age=0", TAG),
    "an Expires that is over": ("Expires: {start-1}", TAG),
    "windows for stale responses": (
        "Cache-Control: max-age=0, stale-while-revalidate=600, stale-if-error=600",
        TAG,
    ),
}
ONE_USER: dict[str, Any] = {"profile": "dev", "offline": {"keep_private": True, "override": True}}
WITHOUT_OVERRIDE: dict[str, Any] = {"offline": {"keep_private": True}}


def _account(*fields: str, client: str = ALICE) -> tuple[Step, ...]:
    return (
        ask("GET /a", client),
        origin("200 OK", *fields, body="Alice's"),
        answer("200", STORED, body="Alice's"),
    )


def _never_unvalidated(title: str, fields: tuple[str, ...]) -> tuple[Conversation, ...]:
    return (
        conversation(
            f"a response to Cookie without a lifetime is not used for max-stale or only-if-cached: {title}",
            "STORE-23",
            "STALE-02",
            *_account(*fields),
            later(1),
            ask("GET /a", BOB, "Cache-Control: max-stale"),
            origin("200 OK", "Cache-Control: no-store", body="Bob's", saw=("no If-None-Match", "no If-Modified-Since")),
            answer("200", body="Bob's"),
            ask("GET /a", BOB, "Cache-Control: max-stale, only-if-cached"),
            answer("504"),
            ask("GET /a", "Cache-Control: max-stale, only-if-cached"),
            answer("504"),
            ask("GET /a", ALICE, "Cache-Control: max-stale, only-if-cached"),
            answer("504", body="...reason: only-if-cached\n"),
            ask("GET /a", ALICE, "Cache-Control: max-stale"),
            origin("304 Not Modified"),
            answer("203", VALIDATED, body="Alice's"),
        ),
        conversation(
            f"a response to Cookie without a lifetime is not used in an outage: {title}",
            "STORE-23",
            "STALE-02",
            "STALE-03",
            *_account(*fields),
            later(1),
            origin_gone(),
            ask("GET /a", ALICE, "Cache-Control: stale-if-error=60"),
            answer("504", body="...reason: stale-forbidden\n"),
            ask("GET /a", BOB, "Cache-Control: stale-if-error=60"),
            answer("502", body="...reason: fetch-failed\n"),
        ),
        conversation(
            f"a response to Cookie without a lifetime is not used offline: {title}",
            "STORE-23",
            "STALE-12",
            *_account(*fields),
            offline(),
            ask("GET /a", ALICE),
            answer("504"),
            ask("GET /a", BOB),
            answer("504"),
            ask("GET /a"),
            answer("504"),
        ),
    )


def _for_one_api_key(name: str) -> tuple[Conversation, ...]:
    alice, bob = f"{name}: alice", f"{name}: bob"
    return (
        conversation(
            f"a response to {name} without a lifetime is validated for the same value only, and never used without",
            "STORE-23",
            "HEUR-06",
            *_account(MODIFIED, client=alice),
            later(1),
            ask("GET /a", bob),
            origin("200 OK", MODIFIED, body="Bob's", saw=(bob, "no If-Modified-Since")),
            answer("200", STORED, body="Bob's"),
            ask("GET /a", "Cache-Control: only-if-cached, max-stale"),
            answer("504"),
            ask("GET /a", alice),
            origin("304 Not Modified", saw="If-Modified-Since: {start-9999}"),
            answer("203", VALIDATED, body="Alice's"),
            origin_gone(),
            ask("GET /a", bob, "Cache-Control: max-stale"),
            answer("504", body="...reason: stale-forbidden\n"),
        ),
        conversation(
            f"a response to {name} with a lifetime may be used for anybody",
            "STORE-23",
            *_account("Cache-Control: max-age=60", client=alice),
            ask("GET /a", bob),
            answer("203", hit(60), body="Alice's"),
        ),
    )


CONVERSATIONS = [
    *(each for name in API_KEYS for each in _for_one_api_key(name)),
    conversation(
        "a waiting request with another API key does not get the response to the first one",
        "STORE-23",
        ask("GET /a", "X-Api-Key: alice", client="Alice"),
        ask("GET /a", "X-Api-Key: bob", client="Bob"),
        all_requests_wait(),
        origin("200 OK", TAG, body="Alice's", saw="X-Api-Key: alice"),
        answer("200", STORED, body="Alice's", client="Alice"),
        origin("200 OK", TAG, body="Bob's", saw="X-Api-Key: bob"),
        answer("200", body="Bob's", client="Bob"),
    ),
    *(each for title, fields in NO_LIFETIME.items() for each in _never_unvalidated(title, fields)),
    conversation(
        "a response to Cookie without a lifetime is validated for the same Cookie only: a 304 to another says nothing",
        "STORE-23",
        "HEUR-06",
        *_account(MODIFIED),
        ask("GET /a", BOB),
        origin("200 OK", MODIFIED, body="Bob's", saw="no If-Modified-Since"),
        answer("200", STORED, body="Bob's"),
        ask("GET /a"),
        origin("401 Unauthorized", saw="no If-Modified-Since"),
        answer("401", MISS),
        ask("GET /a", ALICE),
        origin("304 Not Modified", saw="If-Modified-Since: {start-9999}"),
        answer("203", VALIDATED, body="Alice's"),
        ask("GET /a", BOB),
        origin("304 Not Modified", saw="If-Modified-Since: {start-9999}"),
        answer("203", VALIDATED, body="Bob's"),
    ),
    conversation(
        "a response to Cookie stays with it after a 304 that gives it a lifetime",
        "STORE-23",
        *_account(TAG),
        ask("GET /a", ALICE),
        origin("304 Not Modified", TAG, "Cache-Control: max-age=60"),
        answer("203", VALIDATED, body="Alice's"),
        ask("GET /a", ALICE),
        answer("203", hit(60), body="Alice's"),
        ask("GET /a", BOB, "Cache-Control: only-if-cached"),
        answer("504"),
    ),
    conversation(
        "a waiting request with another Cookie does not get the response to the first one",
        "STORE-23",
        ask("GET /a", ALICE, client="Alice"),
        ask("GET /a", BOB, client="Bob"),
        all_requests_wait(),
        origin("200 OK", TAG, body="Alice's", saw=ALICE),
        answer("200", STORED, body="Alice's", client="Alice"),
        origin("200 OK", TAG, body="Bob's", saw=BOB),
        answer("200", body="Bob's", client="Bob"),
    ),
    conversation(
        "a public response to Cookie without a lifetime is validated for any client, and never used without",
        "STORE-23",
        *_account("Cache-Control: public", TAG),
        ask("GET /a", BOB, "Cache-Control: max-stale"),
        origin("304 Not Modified", TAG, saw=(BOB, 'If-None-Match: "1"')),
        answer("203", VALIDATED, body="Alice's"),
        origin_gone(),
        ask("GET /a", BOB),
        answer("504", body="...reason: stale-forbidden\n"),
    ),
    conversation(
        "a response to Authorization without a lifetime that must-revalidate made storable stays with its credential",
        "AUTH-03",
        *_account("Cache-Control: must-revalidate", TAG, client="Authorization: Basic YWxpY2U="),
        ask("GET /a", "Authorization: Basic Ym9i"),
        origin("403 Forbidden", saw="no If-None-Match", body="no"),
        answer("403", MISS),
        ask("GET /a", "Authorization: Basic YWxpY2U="),
        origin("304 Not Modified", TAG, saw='If-None-Match: "1"'),
        answer("203", VALIDATED, body="Alice's"),
    ),
    conversation(
        "a response to Authorization without a lifetime that public made storable is not used unvalidated",
        "AUTH-03",
        *_account("Cache-Control: public", TAG, client="Authorization: Basic YWxpY2U="),
        ask("GET /a", "Cache-Control: max-stale, only-if-cached"),
        answer("504"),
        ask("GET /a", "Authorization: Basic Ym9i", "Cache-Control: max-stale"),
        origin("403 Forbidden", body="no"),
        answer("403"),
    ),
    conversation(
        "with a client certificate of ours, a response without a lifetime is not used unvalidated",
        "AUTH-03",
        "AUTH-08",
        ask("GET /a"),
        origin("200 OK", "Cache-Control: public", TAG, body="ours"),
        answer("200", STORED, body="ours"),
        ask("GET /a", "Cache-Control: max-stale, only-if-cached"),
        answer("504"),
        settings={"origin": {"client_certificate": "{certificate}"}},
        secure=True,
    ),
    conversation(
        "with stale_on_5xx, a response to Cookie without a lifetime is not sent in place of a 503",
        "STATUS-16",
        "STORE-23",
        *_account(TAG),
        ask("GET /a", ALICE, "Cache-Control: stale-if-error=60"),
        origin("503 Service Unavailable", body="sorry"),
        answer("503", body="sorry"),
        settings={"cache": {"stale_on_5xx": True}},
    ),
    conversation(
        "a response to Cookie that has an explicit lifetime may be used stale like any other",
        "STORE-23",
        "STALE-03",
        *_account("Cache-Control: max-age=60", TAG),
        later(70),
        ask("GET /a", BOB, "Cache-Control: max-stale"),
        answer("203", hit(-10, "max-stale"), body="Alice's"),
    ),
    conversation(
        "a copy for anybody answers a request with Cookie in an outage",
        "STORE-23",
        "STALE-03",
        ask("GET /a"),
        origin("200 OK", TAG, body="anybody's"),
        answer("200", STORED, body="anybody's"),
        later(1),
        origin_gone(),
        ask("GET /a", ALICE),
        answer("203", hit(-1, "disconnected"), body="anybody's"),
    ),
    *(
        conversation(
            f"one user's cache uses a response to Cookie offline, although it has no lifetime: {title}",
            "STORE-23",
            "STALE-12",
            *_account(MODIFIED),
            later(1),
            offline(),
            ask("GET /a", ALICE),
            answer("203", hit(-1, "offline"), body="Alice's"),
            ask("GET /a", BOB),
            answer("203", hit(-1, "offline"), body="Alice's"),
            settings=settings,
        )
        for title, settings in (("with override", ONE_USER), ("without override", WITHOUT_OVERRIDE))
    ),
    conversation(
        "one user's cache uses a response to Cookie in an outage, but not for max-stale while the origin responds",
        "STORE-23",
        "STALE-03",
        *_account(MODIFIED),
        later(1),
        ask("GET /a", BOB, "Cache-Control: max-stale"),
        origin("304 Not Modified", saw=BOB),
        answer("203", VALIDATED, body="Alice's"),
        later(1),
        ask("GET /a", BOB),
        origin_silent(),
        answer("203", hit(-1, "disconnected"), body="Alice's"),
        settings={**ONE_USER, "origin": {"first_byte_timeout": 1.0}},
    ),
]
