"""What `secondhand why` says: the decision, the arithmetic behind it, and the clause."""

from __future__ import annotations

from dataclasses import replace

from cache.engine import preview
from cache.engine.explain import Explanation, explain
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import AnswerStatus, ClientRule
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import NEVER_MATCHES

NOW = 1_795_435_200.0
REQUEST = Request("GET", "http", "a.example", 80, "/")
POLICY = CachePolicy()


def copy(*lines: tuple[str, str], status: int = 200, vary: tuple[tuple[str, str | None], ...] = ()) -> StoredResponse:
    """A copy that took 1.5 seconds to come and has been here for 10."""
    fields = Fields((("Date", "Mon, 23 Nov 2026 11:59:48 GMT"), ("Age", "3"), *lines))
    times = (NOW - 11.5, NOW - 10, NOW - 10)
    head = Response(status, "", fields)
    return StoredResponse("0" * 32, "http://a.example/", "GET", "http://a.example/", head, *times, vary=vary, length=5)


def steps(explanation: Explanation) -> dict[str, tuple[str, str]]:
    return {step.subject: (step.finding, step.source) for step in explanation.steps}


def test_a_hit_with_its_arithmetic() -> None:
    explained = explain(REQUEST, [copy(("Cache-Control", "max-age=60"))], POLICY, NOW)
    assert (explained.decision, explained.reason) == ("hit", "fresh")
    assert explained.head
    assert explained.head.status == 203
    assert steps(explained) == {
        "key": ("http://a.example/", "RFC 9111 §2"),
        "stored 1": ("200 to GET, 5 bytes, does not vary: matches", "RFC 9111 §4.1"),
        "lifetime": ("60 s from max-age", "RFC 9111 §4.2.1"),
        "age": ("14.5 s = max(2 apparent, 3 received + 1.5 delay) + 10.0 since it was received", "RFC 9111 §4.2.3"),
        "hit": ("fresh: the lifetime is longer than the age", "RFC 9111 §4.2"),
        "status": ("203: the stored status is 200, and the response comes from a copy", "RFC 2616 §10.2.4"),
    }


def test_without_date_in_the_age() -> None:
    explained = explain(
        REQUEST,
        [copy(("Cache-Control", "max-age=60"))],
        replace(POLICY, freshness=replace(POLICY.freshness, conservative_age=False)),
        NOW,
    )
    assert steps(explained)["age"][0] == "14.5 s = 3 received + 1.5 delay + 10.0 since it was received"


def test_a_hit_that_is_not_simply_fresh_names_its_reason() -> None:
    explained = explain(REQUEST, [copy(("Last-Modified", "Mon, 23 Nov 2026 01:00:00 GMT"))], POLICY, NOW)
    assert (explained.decision, explained.reason) == ("hit", "heuristic")
    assert steps(explained)["hit"] == ("fresh by a heuristic lifetime: the origin gave none", "RFC 9111 §4.2.2")


def test_why_it_is_not_a_203() -> None:
    fresh = copy(("Cache-Control", "max-age=60"))
    explained = explain(
        REQUEST,
        [fresh],
        replace(POLICY, presentation=replace(POLICY.presentation, clients=(ClientRule("client-x"),))),
        NOW,
    )
    assert steps(explained)["status"] == ("200 instead of 203: client-x", "ours")
    explained = explain(
        REQUEST, [fresh], replace(POLICY, presentation=replace(POLICY.presentation, status=AnswerStatus.ORIGIN)), NOW
    )
    assert steps(explained)["status"] == ("200: it follows from the stored 200 and the request", "RFC 9110 §15")
    explained = explain(REQUEST, [copy(("Cache-Control", "max-age=60"), status=203)], POLICY, NOW)
    assert steps(explained)["status"] == ("203: it follows from the stored 203 and the request", "RFC 9110 §15")


def test_what_goes_forward() -> None:
    stale = copy(("Cache-Control", "max-age=5"), ("ETag", '"1"'))
    explained = explain(REQUEST, [stale], POLICY, NOW)
    assert (explained.decision, explained.reason, explained.head) == ("validate", "stale", None)
    assert steps(explained)["validate"][1] == "RFC 9111 §4.2.4"
    explained = explain(REQUEST, [], POLICY, NOW)
    assert (explained.decision, explained.reason) == ("forward", "uri-miss")
    assert steps(explained) == {
        "key": ("http://a.example/", "RFC 9111 §2"),
        "forward": ("nothing is stored for this URI", "RFC 9111 §4"),
    }
    asking = replace(REQUEST, fields=Fields((("Cache-Control", "no-cache"),)))
    assert explain(asking, [copy(("Cache-Control", "max-age=60"))], POLICY, NOW).reason == "request-no-cache"


def test_what_is_refused() -> None:
    explained = explain(REQUEST, [], replace(POLICY, network=replace(POLICY.network, offline=True)), NOW)
    assert (explained.decision, explained.reason) == ("refuse", "offline")
    assert explained.head
    assert explained.head.status == 504
    assert steps(explained)["refuse"][1] == "RFC 9111 §4.2.4"


def test_how_variants_differ() -> None:
    variants = [copy(vary=(("accept", "text/html"), ("x", None))), copy(vary=NEVER_MATCHES)]
    found = steps(explain(REQUEST, variants, POLICY, NOW))
    assert found["stored 1"][0] == "200 to GET, 5 bytes, varies by accept=text/html, x=absent: does not match"
    assert found["stored 2"][0] == "200 to GET, 5 bytes, varies by *: does not match"


def test_a_preview_of_a_whole_and_of_a_part() -> None:
    whole = preview(copy(("Cache-Control", "max-age=60")), POLICY, NOW)
    assert (whole.status, whole.fields.get("cache-status")) == (203, "secondhand; hit; ttl=45")
    part = preview(replace(copy(("Cache-Control", "max-age=60")), first=2, complete_length=10), POLICY, NOW)
    assert (part.status, part.fields.get("content-range")) == (206, "bytes 2-6/10")
