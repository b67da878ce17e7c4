"""What a request leads to: Serve, Validate, Forward or Refuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from cache.answer.cache_status import Handling
from cache.answer.compose import error_response, from_copy
from cache.engine.decisions import Forward, Refuse, Serve, UpstreamRequest, Validate
from cache.engine.upstream_request import behind, completing, upstream, validating
from cache.http.cache_control import RequestDirectives, request_directives
from cache.http.fields import http_date
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail, Forwarded, NotStored, Refused
from cache.rules import validation
from cache.rules.forward_targets import is_loop, prohibited
from cache.rules.freshness import current_age, freshness_lifetime, never_unasked, stale_use, time_to_live
from cache.rules.mementos import ACCEPT_DATETIME, captures_for, chosen, current
from cache.rules.ownership import is_visible
from cache.rules.poisoning import unkeyed_input
from cache.rules.selection import is_misaddressed, matching, obstacle, passed_by
from cache.rules.stored_response import StoredResponse

RANGE = ("range", "if-range")


def on_request(
    request: Request,
    candidates: Sequence[StoredResponse],
    policy: CachePolicy,
    now: float,
    waited_as: Forwarded | None = None,
) -> Serve | Validate | Forward | Refuse:
    """Decide what a request leads to.

    `candidates` are all stored responses under its primary key. `waited_as` is set for a request that waited for
    another's fetch: why it would have gone forward itself (RFC 9211 §2.6).
    """
    policy = policy.towards(request.host)
    candidates = [entry for entry in candidates if is_visible(entry, request, policy)]
    if policy.identity.gateway and (unkeyed := unkeyed_input(request.fields)):
        # ledger SEC-04: the origin behind an edge does not get to see it
        request = request.with_fields(request.fields.without(unkeyed))
    if own := _misdirected(request, policy, now) or _answered_here(request, policy, now):
        return own
    if bypass := passed_by(request, policy):
        fwd, detail = bypass
        if policy.network.offline:
            return _refuse_offline(request, policy, now)
        return _forward(request, fwd, detail, candidates, policy)
    asked = request_directives(request.fields)
    if policy.requests.always_forward:
        return _recorded(request, asked, policy, now)
    if policy.storing.captures > 1:
        if past := _past(request, candidates, policy, now):
            return past
        candidates = current(candidates)
    heads = tuple(entry.id for entry in candidates if entry.method == "HEAD")
    fitting = matching(request, candidates, policy)
    if not fitting:
        return _miss(request, candidates, heads, asked, policy, now)
    selected = fitting[0]
    hindered = obstacle(request, selected, asked, policy, now)
    if hindered is None:
        return _serve(request, selected, asked, policy, now, waited_as)
    if asked.only_if_cached or policy.network.offline:
        return _refuse_unasked(request, policy, now)
    fwd, detail = hindered
    sent = UpstreamRequest(upstream(request, policy), fwd, detail, selected=selected, matching=fitting, heads=heads)
    if fwd is Forwarded.PARTIAL:
        # what is stored cannot be the answer, whatever the origin says of it
        return completing(replace(sent, selected=None), request, selected, policy)
    return validating(sent, validation.nominate(fitting, selected))


def _misdirected(request: Request, policy: CachePolicy, now: float) -> Refuse | None:
    """Return why a request does not go where it says, or None."""
    if is_loop(request, policy):
        sentence = f"{request.uri} leads back to this proxy."
        return Refuse(error_response(502, Refused.LOOP, sentence, policy, now, "proxy_loop_detected"), Refused.LOOP)
    if reason := prohibited(request, policy):
        sentence = f"This proxy does not go to {request.host}:{request.port} for others."
        # RFC 9209 §2.3.5, §2.3.17: the statuses that go with these errors
        status, error = (502, "destination_ip_prohibited") if reason is Refused.TARGET else (403, "http_request_denied")
        return Refuse(error_response(status, reason, sentence, policy, now, error), reason)
    if policy.requests.strict_host and is_misaddressed(request):
        sentence = f"Host or the TLS name of this request is not {request.authority}, where it was sent."
        return Refuse(error_response(400, Refused.STRICT_HOST, sentence, policy, now), Refused.STRICT_HOST)
    return None


def _answered_here(request: Request, policy: CachePolicy, now: float) -> Refuse | None:
    """Return the answer to a TRACE, or to an OPTIONS that may go no further, or None (RFC 9110 §7.6.2, §9.3.8)."""
    if request.method == "TRACE":
        sentence = "This proxy does not answer TRACE, which would show credentials to whoever asks."
        return Refuse(error_response(405, Refused.TRACE, sentence, policy, now), Refused.TRACE)
    if request.method == "OPTIONS" and request.fields.get("max-forwards") == "0":
        sentence = f"This is as far as the request for {request.uri} may go."
        return Refuse(error_response(200, Refused.LAST_HOP, sentence, policy, now), Refused.LAST_HOP)
    return None


def _forward(
    request: Request,
    fwd: Forwarded,
    detail: Detail | None,
    candidates: Sequence[StoredResponse],
    policy: CachePolicy,
) -> Forward:
    # what an unsafe method brings may be for later GETs (RFC 9110 §9.3.3); what passed the cache by is not
    unstorable = None if fwd is Forwarded.METHOD else NotStored.BYPASSED
    return Forward(upstream(request, policy), fwd, detail, unstorable, matching=tuple(candidates))


def _past(
    request: Request, candidates: Sequence[StoredResponse], policy: CachePolicy, now: float
) -> Serve | Refuse | None:
    """Return the answer to a request for a past state that is kept here, or None (RFC 7089 §4.1.3)."""
    wanted = request.fields.get(ACCEPT_DATETIME)
    captures = captures_for(request, candidates, policy, now) if wanted is not None else ()
    if not captures:
        return None
    moment = http_date(wanted, now)
    if moment is None:
        sentence = f'Accept-Datetime says "{wanted}", which is no date in the form of HTTP.'
        refused = error_response(400, Refused.ACCEPT_DATETIME, sentence, policy, now, "http_request_error")
        return Refuse(refused, Refused.ACCEPT_DATETIME)
    entry = chosen(captures, moment)
    handling = Handling(hit=True, ttl=time_to_live(entry, policy, now), detail=Detail.MEMENTO)
    answer = from_copy(request, entry, handling, policy, now, memento=True)
    return Serve(answer, entry, handling, now, Detail.MEMENTO)


def _recorded(request: Request, asked: RequestDirectives, policy: CachePolicy, now: float) -> Forward | Refuse:
    """Return the way to an answer that is worth recording: a whole one, whatever the client has already."""
    if asked.only_if_cached or policy.network.offline:
        return _refuse_unasked(request, policy, now)
    return Forward(upstream(validation.unconditional(request), policy), Forwarded.BYPASS, Detail.RECORDING)


def _serve(
    request: Request,
    entry: StoredResponse,
    asked: RequestDirectives,
    policy: CachePolicy,
    now: float,
    waited_as: Forwarded | None,
) -> Serve:
    lifetime, ttl = freshness_lifetime(entry, policy), time_to_live(entry, policy, now)
    age = current_age(entry, policy, now)
    remaining = lifetime.seconds - age
    detail: Detail | None
    if policy.freshness.always_fresh:
        detail, remaining = Detail.REPLAY, math.inf
    elif never_unasked(entry, policy):
        detail, remaining = Detail.OVERRIDE_OFFLINE, 0.0  # else it would not be served at all
    elif remaining > 0 and entry.scrubbed:
        detail = Detail.SCRUBBED
    elif remaining > 0:
        detail = Detail.HEURISTIC if lifetime.source == "heuristic" else None
    else:
        detail = stale_use(entry, asked, policy, now)
    check = None
    if detail is Detail.STALE_WHILE_REVALIDATE:
        sent = UpstreamRequest(
            behind(request, entry, policy), Forwarded.STALE, detail, selected=entry, matching=(entry,)
        )
        check = validating(sent, validation.nominate((entry,), entry))
    if waited_as:
        handling = Handling(fwd=waited_as, fwd_status=entry.head.status, collapsed=True, ttl=ttl, detail=detail)
    else:
        handling = Handling(hit=True, ttl=ttl, detail=detail)
    answer = from_copy(request, entry, handling, policy, now)
    # RFC 9111 §5.2.1.1, §5.2.1.3: what the client asks ends the decision as well
    wanted = math.inf if asked.max_age is None or policy.freshness.always_fresh else asked.max_age - age
    return Serve(answer, entry, handling, now + max(0.0, min(remaining - asked.min_fresh, wanted)), detail, check)


def _miss(
    request: Request,
    candidates: Sequence[StoredResponse],
    heads: tuple[str, ...],
    asked: RequestDirectives,
    policy: CachePolicy,
    now: float,
) -> Validate | Forward | Refuse:
    if asked.only_if_cached or policy.network.offline:
        return _refuse_unasked(request, policy, now)
    variants = tuple(entry for entry in candidates if entry.method == "GET")
    fwd = Forwarded.VARY_MISS if variants else Forwarded.URI_MISS
    nominated = () if "range" in request.fields else validation.nominate(variants, None)
    # ledger RANGE-12: the whole will do for the next range as well
    asked_for = request.with_fields(request.fields.without(RANGE)) if policy.requests.fetch_whole else request
    return validating(UpstreamRequest(upstream(asked_for, policy), fwd, heads=heads), nominated)


def _refuse_unasked(request: Request, policy: CachePolicy, now: float) -> Refuse:
    if policy.network.offline:
        return _refuse_offline(request, policy, now)
    sentence = f"No stored response may answer {request.uri} and the request allows nothing else."
    return Refuse(error_response(504, Refused.ONLY_IF_CACHED, sentence, policy, now), Refused.ONLY_IF_CACHED)


def _refuse_offline(request: Request, policy: CachePolicy, now: float) -> Refuse:
    if policy.recording and policy.recording.is_replay:
        sentence = (
            f"The recording {policy.recording.name} has no response that may answer {request.method} {request.uri}."
        )
        answer = error_response(504, Refused.REPLAY, sentence, policy, now, "destination_unavailable")
        return Refuse(answer, Refused.REPLAY)
    why = f"{request.host} cannot be reached now" if policy.network.disconnected else "This proxy is offline"
    sentence = f"{why}, and no stored response may answer {request.method} {request.uri}."
    answer = error_response(504, Refused.OFFLINE, sentence, policy, now, "destination_unavailable")
    return Refuse(answer, Refused.OFFLINE)


def forward_unread(request: Request, policy: CachePolicy) -> Forward:
    """Return the way past a store that gave nothing but damaged copies."""
    return Forward(upstream(request, policy), Forwarded.URI_MISS)
