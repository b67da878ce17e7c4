"""Explanations for people: the decision about a request, with the facts and the arithmetic behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cache import engine
from cache.answer.cache_status import Handling, member
from cache.engine.decisions import Refuse, Serve, UpstreamRequest, Validate
from cache.engine.explain_failure import KnownFailure, response_without_origin
from cache.engine.on_request import normalised
from cache.engine.on_response import WITHOUT_CACHE
from cache.engine.time_line import TimeLine, time_line
from cache.http.messages import Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reason_texts import text_of
from cache.policy.reasons import Forwarded
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
from cache.rules.unkeyed_fields import for_all_clients
from cache.rules.vary import NEVER_MATCHES, matches, mismatches, never_matches


@dataclass(frozen=True, slots=True)
class Step:
    """One finding that leads to the decision."""

    subject: str
    finding: str
    source: str
    """The clause behind it."""


_FAILS_AGAIN = Step(
    "expected", "the origin is asked, and is expected to fail as before; if it answers, its answer is used", "ours"
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, and the findings that lead to it."""

    steps: tuple[Step, ...]
    decision: str
    """`hit`, `validate`, `forward` or `refuse`."""
    reason: str
    """The name of the reason, as in Cache-Status `fwd` or `detail`; `fresh` for a plain hit."""
    head: Response | None
    """The head that would be sent, or None if it depends on the answer of the origin."""
    cache_status: str = ""
    """Cache-Status as it would be sent; only its beginning if the origin is asked. Empty if there is none."""
    if_no_answer: str = ""
    """A sentence about the response if the origin is asked and does not answer. Empty if it is not asked."""
    time_line: TimeLine | None = None
    """The life of the stored response that is used or nearly matches; None if there is none."""


def explain(request: Request, candidates: Sequence[StoredResponse], policy: CachePolicy, now: float) -> Explanation:
    """Return the explanation of the decision about `request` at `now`, in seconds since the epoch.

    `candidates` are the stored responses under its keys.
    """
    return explain_decision(request, candidates, engine.on_request(request, candidates, policy, now), policy, now)


def explain_decision(
    request: Request,
    candidates: Sequence[StoredResponse],
    decision: Serve | UpstreamRequest | Refuse,
    policy: CachePolicy,
    now: float,
    *,
    failure: KnownFailure | None = None,
    expected: Serve | Refuse | None = None,
) -> Explanation:
    """Return the explanation of a decision that was made about `request` at `now`, in seconds since the epoch.

    Args:
        request: The request.
        candidates: The stored responses under its keys.
        decision: The decision.
        policy: The policy.
        now: The time.
        failure: The latest exchange with the origin, if it is known to have failed.
        expected: The decision if the origin is asked and fails, if that is what is expected.
    """
    policy, candidates = policy.towards(request), with_forms(candidates)
    steps = [Step("key", primary_key(request), "RFC 9111 §2")]
    if names := effects_of(request, policy).names:
        steps.append(Step("rules", ", ".join(names), "ours"))
    compared = normalised(request, policy)
    compared = compared.with_fields(for_all_clients(compared.fields))
    steps += [_variant(number, entry, compared, policy) for number, entry in enumerate(candidates, start=1)]
    best = _best(compared, candidates, decision, policy)
    if best is not None:
        numbers = [number for number, entry in enumerate(candidates, start=1) if entry == best]
        of_which = f" of {numbers[0]}" if numbers and len(candidates) > 1 else ""
        steps += _arithmetic(best, of_which, policy, now)
    line = time_line(best, policy, now) if best is not None else None
    if not isinstance(decision, UpstreamRequest):
        return replace(_without_origin(steps, decision, policy), time_line=line)
    kind = "validate" if isinstance(decision, Validate) else "forward"
    text = text_of(decision.detail or decision.fwd)
    finding = text.sentence
    if decision.fwd is Forwarded.VARY_MISS and all(never_matches(entry, policy) for entry in candidates):
        finding = "what is stored varies by * (Vary: *), which no request matches"
    steps.append(Step(kind, finding, text.source))
    unanswered = response_without_origin(request, decision, policy, now, failure)
    if expected is not None:
        told = _without_origin([*steps, _FAILS_AGAIN], expected, policy)
        return replace(told, if_no_answer=unanswered, time_line=line)
    shown = _cache_status(request, decision, policy)
    return Explanation(
        tuple(steps),
        kind,
        decision.detail or decision.fwd,
        None,
        cache_status=shown,
        if_no_answer=unanswered,
        time_line=line,
    )


def _without_origin(steps: Sequence[Step], decision: Serve | Refuse, policy: CachePolicy) -> Explanation:
    """Return the explanation of a response for which nothing of the origin is needed, after these steps."""
    if isinstance(decision, Refuse):
        text = text_of(decision.reason)
        refused = Step("refuse", text.sentence, text.source)
        head = decision.response.head
        return Explanation((*steps, refused), "refuse", decision.reason, head, _last_member(head, policy))
    reason, head = decision.detail, decision.response.head
    hit = Step("hit", "fresh: the lifetime is longer than the age", "RFC 9111 §4.2")
    if reason:
        text = text_of(reason)
        hit = Step("hit", text.sentence, text.source)
    status = _status(head, decision.entry, decision.response.exemption)
    return Explanation((*steps, hit, status), "hit", reason or "fresh", head, _last_member(head, policy))


def _last_member(head: Response, policy: CachePolicy) -> str:
    """Return what Cache-Status of a response says of this cache; empty if it says nothing."""
    members = head.fields.all("cache-status") if policy.presentation.cache_status else []
    return members[-1] if members else ""


def _cache_status(request: Request, sent: UpstreamRequest, policy: CachePolicy) -> str:
    """Return Cache-Status as far as it does not depend on the response of the origin."""
    if request.method in WITHOUT_CACHE or not policy.presentation.cache_status:
        return ""
    return member(policy.identity.name, Handling(fwd=sent.fwd), 0)


def _best(
    request: Request,
    candidates: Sequence[StoredResponse],
    decision: Serve | UpstreamRequest | Refuse,
    policy: CachePolicy,
) -> StoredResponse | None:
    """Return the stored response that is used, or would be used if it could be, or else the one that nearly matches."""
    if isinstance(decision, Serve):
        return decision.entry
    if matches_request := matching(request, candidates, policy):
        return matches_request[0]
    return min(candidates, key=lambda entry: len(list(mismatches(entry, request, policy))), default=None)


def _variant(number: int, entry: StoredResponse, request: Request, policy: CachePolicy) -> Step:
    scrubbed = ", scrubbed (secrets were removed)" if entry.scrubbed else ""
    coded = f", also compressed ({len(entry.coded_forms)} forms)" if entry.coded_forms else ""
    size = f"{entry.length} bytes"
    if entry.complete_length is not None:
        size = f"bytes {entry.first} to {entry.first + entry.length - 1} of {entry.complete_length}"
    finding = f"{entry.head.status} to {entry.method}, {size}{coded}{scrubbed}, {_selection(entry)}"
    return Step(f"stored {number}", f"{finding}: {_match(entry, request, policy)}", "RFC 9111 §4.1")


def _selection(entry: StoredResponse) -> str:
    """Return which requests a stored response is for."""
    spelled = "" if is_spelled_as(entry.key, entry.target) else f"spelled {entry.target}, "
    if entry.vary == NEVER_MATCHES:
        return f"{spelled}varies by *"
    if not entry.vary:
        return f"{spelled}does not vary"
    return f"{spelled}varies by " + ", ".join(f"{name}={value or 'absent'}" for name, value in entry.vary)


def _match(entry: StoredResponse, request: Request, policy: CachePolicy) -> str:
    """Return whether a stored response matches a request, or each difference with both values."""
    if entry.method == "HEAD" and request.method != "HEAD":
        return "does not match: it has no content, and answers HEAD only"
    if never_matches(entry, policy):
        return "does not match: no request does"
    differences = [
        f"{each.name} was {_value(each.stored)}, and is {_value(each.asked)} in this request"
        for each in mismatches(entry, request, policy)
    ]
    if differences:
        return "does not match: " + "; ".join(differences)
    return "matches" if matches(entry, request, policy) else "does not match"


def _value(value: str | None) -> str:
    return "absent" if value is None else f'"{value}"'


def _arithmetic(entry: StoredResponse, of_which: str, policy: CachePolicy, now: float) -> list[Step]:
    lifetime = freshness_lifetime(entry, policy)
    return [
        Step(f"lifetime{of_which}", f"{lifetime.seconds} s from {lifetime.source}", "RFC 9111 §4.2.1"),
        Step(f"age{of_which}", _age(entry, policy, now), "RFC 9111 §4.2.3"),
    ]


def _age(entry: StoredResponse, policy: CachePolicy, now: float) -> str:
    """Return the age as a sum of what is printed: all are rounded down to tenths, and so to the second of Age."""
    received_at = receipt_time(entry, policy)
    if is_from_future(entry, policy, now):
        return f"not known, so it is stale: it was received {received_at - now:.0f} s after the clock's present time"
    received, delay = received_age(entry.head.fields) or 0, response_delay(entry)
    apparent = apparent_age(entry, policy)
    age = _tenths(current_age(entry, policy, now))
    corrected = _tenths(received) + _tenths(delay)
    initial, terms = corrected, f"{received} received + {_seconds(_tenths(delay))} delay"
    if policy.freshness.conservative_age:
        initial = max(_tenths(apparent), corrected)
        terms = f"max({_seconds(_tenths(apparent))} apparent, {terms})"
    return f"{_seconds(age)} s = {terms} + {_seconds(age - initial)} since it was received"


def _tenths(seconds: float) -> int:
    return math.floor(seconds * 10)


def _seconds(tenths: int) -> str:
    return f"{tenths / 10:.1f}"


def _status(head: Response, entry: StoredResponse, exemption: str | None) -> Step:
    if head.status == 203 and entry.head.status == 200:
        return Step("status", "203: the stored status is 200, and the response comes from a copy", "RFC 2616 §10.2.4")
    if exemption:
        return Step("status", f"200 instead of 203: {exemption}", "ours")
    finding = f"{head.status}: it follows from the stored {entry.head.status} and the request"
    return Step("status", finding, "RFC 9110 §15")
