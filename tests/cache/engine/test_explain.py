"""The explanations of `secondhand why`: the decision, its arithmetic, and the clause for each step."""

from __future__ import annotations

import re
from dataclasses import replace

from cache.engine import preview
from cache.engine.explain import Explanation, explain
from cache.http.messages import Fields
from cache.policy.cache_policy import CachePolicy, FreshnessPolicy, NetworkPolicy, Presentation
from cache.policy.operator_rules import AnswerStatus, ClientRule
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import NEVER_MATCHES
from tests.cache import examples
from tests.cache.examples import NOW, request

REQUEST = request()
POLICY = CachePolicy()
MAX_AGE = ("Cache-Control", "max-age=60")


def stored(
    *fields: tuple[str, str], status: int = 200, vary: tuple[tuple[str, str | None], ...] = ()
) -> StoredResponse:
    """Return a stored response that took 1.5 seconds to arrive, 10 seconds ago."""
    age = ("Date", "Mon, 23 Nov 2026 11:59:48 GMT"), ("Age", "3")
    return examples.stored(*age, *fields, status=status, at=NOW - 10, request_time=NOW - 11.5, vary=vary, length=5)


def steps(explanation: Explanation) -> dict[str, tuple[str, str]]:
    return {step.subject: (step.finding, step.source) for step in explanation.steps}


def status_step(presentation: Presentation, status: int = 200) -> tuple[str, str]:
    """Return the explanation of the status of a hit."""
    policy = replace(POLICY, presentation=presentation)
    return steps(explain(REQUEST, [stored(MAX_AGE, status=status)], policy, NOW))["status"]


def test_a_hit_with_its_arithmetic() -> None:
    explained = explain(REQUEST, [stored(MAX_AGE)], POLICY, NOW)
    assert (explained.decision, explained.reason) == ("hit", "fresh")
    assert explained.head
    assert explained.head.status == 203
    assert steps(explained) == {
        "key": ("http://a.example/", "RFC 9111 §2"),
        "stored 1": ("200 to GET, 5 bytes, does not vary: matches", "RFC 9111 §4.1"),
        "lifetime": ("60 s from max-age", "RFC 9111 §4.2.1"),
        "age": ("14.5 s = max(2.0 apparent, 3 received + 1.5 delay) + 10.0 since it was received", "RFC 9111 §4.2.3"),
        "hit": ("fresh: the lifetime is longer than the age", "RFC 9111 §4.2"),
        "status": ("203: the stored status is 200, and the response comes from a copy", "RFC 2616 §10.2.4"),
    }


def test_the_age_without_the_date() -> None:
    policy = CachePolicy(freshness=FreshnessPolicy(conservative_age=False))
    explained = explain(REQUEST, [stored(MAX_AGE)], policy, NOW)
    assert steps(explained)["age"][0] == "14.5 s = 3 received + 1.5 delay + 10.0 since it was received"


def test_a_hit_that_is_not_simply_fresh_names_its_reason() -> None:
    explained = explain(REQUEST, [stored(("Last-Modified", "Mon, 23 Nov 2026 01:00:00 GMT"))], POLICY, NOW)
    assert (explained.decision, explained.reason) == ("hit", "heuristic")
    assert steps(explained)["hit"] == ("fresh by a heuristic lifetime: the origin gave none", "RFC 9111 §4.2.2")


def test_the_reason_for_another_status_than_203() -> None:
    rule = replace(POLICY.presentation, clients=(ClientRule("client-x"),))
    assert status_step(rule) == ("200 instead of 203: client-x", "ours")
    origin = replace(POLICY.presentation, status=AnswerStatus.ORIGIN)
    assert status_step(origin) == ("200: it follows from the stored 200 and the request", "RFC 9110 §15")
    stored_203 = status_step(POLICY.presentation, status=203)
    assert stored_203 == ("203: it follows from the stored 203 and the request", "RFC 9110 §15")


def test_requests_that_are_forwarded() -> None:
    stale = stored(("Cache-Control", "max-age=5"), ("ETag", '"1"'))
    explained = explain(REQUEST, [stale], POLICY, NOW)
    assert (explained.decision, explained.reason, explained.head) == ("validate", "stale", None)
    assert steps(explained)["validate"][1] == "RFC 9111 §4.2.4"
    explained = explain(REQUEST, [], POLICY, NOW)
    assert (explained.decision, explained.reason) == ("forward", "uri-miss")
    assert steps(explained) == {
        "key": ("http://a.example/", "RFC 9111 §2"),
        "forward": ("nothing is stored for this URI", "RFC 9111 §4"),
    }
    no_cache = replace(REQUEST, fields=Fields((("Cache-Control", "no-cache"),)))
    assert explain(no_cache, [stored(MAX_AGE)], POLICY, NOW).reason == "request-no-cache"


def test_a_request_that_is_refused() -> None:
    explained = explain(REQUEST, [], CachePolicy(network=NetworkPolicy(offline=True)), NOW)
    assert (explained.decision, explained.reason) == ("refuse", "offline")
    assert explained.head
    assert explained.head.status == 504
    assert steps(explained)["refuse"][1] == "RFC 9111 §4.2.4"


def test_the_differences_between_variants() -> None:
    variants = [stored(vary=(("accept", "text/html"), ("x", None))), stored(vary=NEVER_MATCHES)]
    found = steps(explain(REQUEST, variants, POLICY, NOW))
    assert found["stored 1"][0] == (
        "200 to GET, 5 bytes, varies by accept=text/html, x=absent: does not match: "
        'accept was "text/html", and is absent in this request'
    )
    assert found["stored 2"][0] == "200 to GET, 5 bytes, varies by *: does not match: no request does"


def test_a_preview_of_a_whole_response_and_of_a_part() -> None:
    whole = preview(stored(MAX_AGE), POLICY, NOW)
    assert (whole.status, whole.fields.get("cache-status")) == (203, "secondhand; hit; ttl=45")
    part = preview(replace(stored(MAX_AGE), first=2, complete_length=10), POLICY, NOW)
    assert (part.status, part.fields.get("content-range")) == (206, "bytes 2-6/10")


def test_the_sum_of_the_age_is_the_age_that_is_sent() -> None:
    """All terms are rounded down, so that they add up to the printed age, and its seconds are those of Age."""
    for hundredths in range(0, 300, 7):
        now = NOW + hundredths / 100
        explained = explain(REQUEST, [replace(stored(MAX_AGE), request_time=NOW - 11.47)], POLICY, now)
        finding = steps(explained)["age"][0]
        age, *terms = map(float, re.findall(r"[0-9]+\.?[0-9]*", finding))
        apparent, received, delay, resident = terms
        assert round(max(apparent, received + delay) + resident, 1) == age
        assert explained.head
        assert explained.head.fields.get("age") == str(int(age))


def test_a_difference_names_the_field_and_both_values() -> None:
    asked = replace(REQUEST, fields=Fields((("Accept-Language", "de"), ("Cookie", "a=2"))))
    variants = [stored(vary=(("accept-language", "en"),)), stored(vary=(("&cookie", "hash:1"),))]
    found = steps(explain(asked, variants, POLICY, NOW))
    assert found["stored 1"][0].endswith('does not match: accept-language was "en", and is "de" in this request')
    assert 'does not match: Cookie was "hash:1", and is "hash:' in found["stored 2"][0]


def test_the_nearest_variant_is_explained_if_none_matches() -> None:
    variants = [stored(vary=(("a", "1"), ("b", "1"))), stored(MAX_AGE, vary=(("a", "1"),))]
    found = steps(explain(REQUEST, variants, POLICY, NOW))
    assert found["lifetime of 2"][0] == "60 s from max-age"
