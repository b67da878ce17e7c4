"""Why a request would be answered as it would: the decision with its arithmetic, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cache import engine
from cache.engine.decisions import Forward, Refuse, Serve, Validate
from cache.http.messages import Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reason_texts import clause
from cache.rules.freshness import current_age, date_of, freshness_lifetime, received_age
from cache.rules.key import NEVER_MATCHES, matches, primary_key
from cache.rules.selection import matching
from cache.rules.stored_response import StoredResponse


@dataclass(frozen=True, slots=True)
class Step:
    """One finding on the way to the decision."""

    subject: str
    finding: str
    source: str
    """The clause it rests on."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and how it came about."""

    steps: tuple[Step, ...]
    decision: str
    """`hit`, `validate`, `forward` or `refuse`."""
    reason: str
    """The name that Cache-Status carries as `fwd` or `detail`; `fresh` for a plain hit."""
    head: Response | None
    """What would be sent, where no origin has to be asked."""


def explain(request: Request, candidates: Sequence[StoredResponse], policy: CachePolicy, now: float) -> Explanation:
    """Return why `request` would be answered as it would, from `candidates`, at `now` (seconds since the epoch)."""
    policy = policy.towards(request.host)
    steps = [Step("key", primary_key(request), "RFC 9111 §2")]
    steps += [_variant(number, entry, request, policy) for number, entry in enumerate(candidates, start=1)]
    if fitting := matching(request, candidates, policy):
        steps += _arithmetic(fitting[0], policy, now)
    decision = engine.on_request(request, candidates, policy, now)
    match decision:
        case Serve():
            reason = decision.detail
            meant = clause(reason) if reason else None
            finding = meant.sentence if meant else "fresh: its lifetime exceeds its age"
            steps.append(Step("hit", finding, meant.source if meant else "RFC 9111 §4.2"))
            steps.append(_status(decision.answer.head, decision.entry, decision.answer.exemption))
            return Explanation(tuple(steps), "hit", reason or "fresh", decision.answer.head)
        case Validate() | Forward():
            kind = "validate" if isinstance(decision, Validate) else "forward"
            meant = clause(decision.detail or decision.fwd)
            steps.append(Step(kind, meant.sentence, meant.source))
            return Explanation(tuple(steps), kind, decision.detail or decision.fwd, None)
        case Refuse():
            meant = clause(decision.reason)
            steps.append(Step("refuse", meant.sentence, meant.source))
            return Explanation(tuple(steps), "refuse", decision.reason, decision.answer.head)


def _variant(number: int, entry: StoredResponse, request: Request, policy: CachePolicy) -> Step:
    fits = "matches" if matches(entry, request, policy) else "does not match"
    if entry.vary == NEVER_MATCHES:
        nominated = "varies by *"
    elif entry.vary:
        nominated = "varies by " + ", ".join(f"{name}={value or 'absent'}" for name, value in entry.vary)
    else:
        nominated = "does not vary"
    scrubbed = ", scrubbed: something was taken out of it" if entry.scrubbed else ""
    found = f"{entry.head.status} to {entry.method}, {entry.length} octets{scrubbed}, {nominated}: {fits}"
    return Step(f"stored {number}", found, "RFC 9111 §4.1")


def _arithmetic(entry: StoredResponse, policy: CachePolicy, now: float) -> list[Step]:
    lifetime, age = freshness_lifetime(entry, policy), current_age(entry, policy, now)
    apparent = max(0.0, entry.response_time - date_of(entry))
    received, delay = received_age(entry.head.fields) or 0, max(0.0, entry.response_time - entry.request_time)
    resident = max(0.0, now - entry.response_time)
    initial = f"max({apparent:.0f} apparent, {received} received + {delay:.1f} delay)"
    if not policy.freshness.conservative_age:
        initial = f"{received} received + {delay:.1f} delay"
    return [
        Step("lifetime", f"{lifetime.seconds} s from {lifetime.source}", "RFC 9111 §4.2.1"),
        Step("age", f"{age:.1f} s = {initial} + {resident:.1f} since receipt", "RFC 9111 §4.2.3"),
    ]


def _status(head: Response, entry: StoredResponse, exemption: str | None) -> Step:
    if head.status == 203 and entry.head.status == 200:
        return Step("status", "203: the origin said 200, and this is not the origin", "RFC 2616 §10.2.4")
    if exemption:
        return Step("status", f"200 in place of 203: {exemption}", "ours")
    return Step("status", f"{head.status}, as the stored {entry.head.status} and the request ask for", "RFC 9110 §15")
