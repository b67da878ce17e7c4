"""Explanations for people: the decision about a request, with the facts and the arithmetic behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cache import engine
from cache.engine.decisions import Forward, Refuse, Serve, Validate
from cache.http.messages import Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reason_texts import text_of
from cache.rules.coded_forms import with_forms
from cache.rules.freshness import (
    apparent_age,
    current_age,
    freshness_lifetime,
    is_from_future,
    receipt_time,
    received_age,
    response_delay,
)
from cache.rules.key import is_spelled_as, primary_key
from cache.rules.selection import matching
from cache.rules.site_requests import effects_of
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import NEVER_MATCHES, matches


@dataclass(frozen=True, slots=True)
class Step:
    """One finding that leads to the decision."""

    subject: str
    finding: str
    source: str
    """The clause behind it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, and the findings that lead to it."""

    steps: tuple[Step, ...]
    decision: str
    """`hit`, `validate`, `forward` or `refuse`."""
    reason: str
    """The name of the reason, as in Cache-Status `fwd` or `detail`; `fresh` for a plain hit."""
    head: Response | None
    """The head that would be sent, or None if the origin must be asked."""


def explain(request: Request, candidates: Sequence[StoredResponse], policy: CachePolicy, now: float) -> Explanation:
    """Return the explanation of the decision about `request` at `now`, in seconds since the epoch.

    `candidates` are the stored responses under its keys.
    """
    policy, candidates = policy.towards(request), with_forms(candidates)
    steps = [Step("key", primary_key(request), "RFC 9111 §2")]
    if names := effects_of(request, policy).names:
        steps.append(Step("rules", ", ".join(names), "ours"))
    steps += [_variant(number, entry, request, policy) for number, entry in enumerate(candidates, start=1)]
    if matching_entries := matching(request, candidates, policy):
        steps += _arithmetic(matching_entries[0], policy, now)
    decision = engine.on_request(request, candidates, policy, now)
    match decision:
        case Serve():
            reason = decision.detail
            text = text_of(reason) if reason else None
            finding = text.sentence if text else "fresh: the lifetime is longer than the age"
            steps.append(Step("hit", finding, text.source if text else "RFC 9111 §4.2"))
            steps.append(_status(decision.response.head, decision.entry, decision.response.exemption))
            return Explanation(tuple(steps), "hit", reason or "fresh", decision.response.head)
        case Validate() | Forward():
            kind = "validate" if isinstance(decision, Validate) else "forward"
            text = text_of(decision.detail or decision.fwd)
            steps.append(Step(kind, text.sentence, text.source))
            return Explanation(tuple(steps), kind, decision.detail or decision.fwd, None)
        case Refuse():
            text = text_of(decision.reason)
            steps.append(Step("refuse", text.sentence, text.source))
            return Explanation(tuple(steps), "refuse", decision.reason, decision.response.head)


def _variant(number: int, entry: StoredResponse, request: Request, policy: CachePolicy) -> Step:
    result = "matches" if matches(entry, request, policy) else "does not match"
    if entry.vary == NEVER_MATCHES:
        vary = "varies by *"
    elif entry.vary:
        vary = "varies by " + ", ".join(f"{name}={value or 'absent'}" for name, value in entry.vary)
    else:
        vary = "does not vary"
    if not is_spelled_as(entry.key, entry.target):
        vary = f"spelled {entry.target}, {vary}"
    scrubbed = ", scrubbed (secrets were removed)" if entry.scrubbed else ""
    coded = f", also compressed ({len(entry.coded_forms)} forms)" if entry.coded_forms else ""
    finding = f"{entry.head.status} to {entry.method}, {entry.length} bytes{coded}{scrubbed}, {vary}: {result}"
    return Step(f"stored {number}", finding, "RFC 9111 §4.1")


def _arithmetic(entry: StoredResponse, policy: CachePolicy, now: float) -> list[Step]:
    lifetime = freshness_lifetime(entry, policy)
    return [
        Step("lifetime", f"{lifetime.seconds} s from {lifetime.source}", "RFC 9111 §4.2.1"),
        Step("age", _age(entry, policy, now), "RFC 9111 §4.2.3"),
    ]


def _age(entry: StoredResponse, policy: CachePolicy, now: float) -> str:
    received_at = receipt_time(entry, policy)
    if is_from_future(entry, policy, now):
        return f"not known, so it is stale: it was received {received_at - now:.0f} s after the clock's present time"
    received, delay = received_age(entry.head.fields) or 0, response_delay(entry)
    initial = f"max({apparent_age(entry, policy):.0f} apparent, {received} received + {delay:.1f} delay)"
    if not policy.freshness.conservative_age:
        initial = f"{received} received + {delay:.1f} delay"
    age, resident = current_age(entry, policy, now), max(0.0, now - received_at)
    return f"{age:.1f} s = {initial} + {resident:.1f} since it was received"


def _status(head: Response, entry: StoredResponse, exemption: str | None) -> Step:
    if head.status == 203 and entry.head.status == 200:
        return Step("status", "203: the stored status is 200, and the response comes from a copy", "RFC 2616 §10.2.4")
    if exemption:
        return Step("status", f"200 instead of 203: {exemption}", "ours")
    finding = f"{head.status}: it follows from the stored {entry.head.status} and the request"
    return Step("status", finding, "RFC 9110 §15")
