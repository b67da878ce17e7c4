"""Decisions about a request: Serve, Validate, Forward or Refuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from cache.answer.cache_status import Handling
from cache.answer.compose import error_response, from_copy
from cache.engine.decisions import Forward, Refuse, Serve, UpstreamRequest, Validate
from cache.engine.upstream_request import for_missing_part, forwarded, in_background, validating
from cache.http.cache_control import RequestDirectives, request_directives
from cache.http.fields import http_date
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail, Forwarded, NotStored, Refused
from cache.rules import content_coding, validation
from cache.rules.accept_encoding import with_class
from cache.rules.coded_forms import with_forms
from cache.rules.forward_targets import is_loop, reason_to_prohibit
from cache.rules.freshness import current_age, freshness_lifetime, reason_to_validate, stale_use, time_to_live
from cache.rules.mementos import ACCEPT_DATETIME, capture_at, captures_for, current
from cache.rules.methods import ALLOW, reason_to_refuse
from cache.rules.ownership import is_visible
from cache.rules.selection import (
    asks_for_web_socket,
    is_head_of_part,
    is_misaddressed,
    matching,
    obstacle,
    reason_to_bypass,
)
from cache.rules.stored_response import StoredResponse
from cache.rules.unkeyed_fields import ambiguous_names, for_all_clients, unkeyed_input
from cache.rules.variant_limit import has_no_room
from cache.rules.vary import has_target, values_that_select

RANGE = ("range", "if-range")

BEHIND = frozenset({Detail.STALE_WHILE_REVALIDATE, Detail.SOFT_PURGED})
"""Reasons to send a copy while it is validated in the background."""


def on_request(
    request: Request,
    candidates: Sequence[StoredResponse],
    policy: CachePolicy,
    now: float,
    waited_as: Forwarded | None = None,
) -> Serve | Validate | Forward | Refuse:
    """Decide about a client's request.

    Args:
        request: The client's request.
        candidates: All stored responses under its primary key.
        policy: The policy.
        now: The time, in seconds since the epoch.
        waited_as: Why the request would have been forwarded, if it waited for the fetch of another (RFC 9211 §2.6).
    """
    policy = policy.towards(request)
    of_options = request.method == "OPTIONS"  # its copies and those of other methods do not concern each other
    candidates = [
        entry
        for entry in with_forms(candidates)
        if is_visible(entry, request, policy) and (entry.method == "OPTIONS") is of_options
    ]
    request = normalised(request, policy)
    if refusal := _refuse_target(request, policy, now) or _answer_locally(request, policy, now):
        return refusal
    if bypass := reason_to_bypass(request, policy):
        fwd, detail = bypass
        if policy.network.offline:
            return _refuse_offline(request, policy, now)
        return _forward(request, fwd, detail, candidates, policy)
    request = request.with_fields(for_all_clients(request.fields))
    client_directives = request_directives(request.fields)
    if policy.requests.always_forward:
        return _forward_for_recording(request, client_directives, policy, now)
    no_room = has_no_room(candidates, now)
    candidates = [entry for entry in candidates if has_target(entry, request)]
    if policy.storing.captures > 1:
        if memento := _serve_memento(request, candidates, policy, now):
            return memento
        candidates = current(candidates)
    matches = matching(request, candidates, policy)
    if not matches:
        return _miss(request, candidates, client_directives, policy, now, no_room=no_room)
    selected = matches[0]
    reason = obstacle(request, selected, client_directives, policy, now)
    if reason is None:
        return _serve(request, selected, client_directives, policy, now, waited_as=waited_as)
    if client_directives.only_if_cached or policy.network.offline:
        return _refuse_without_origin(request, policy, now)
    fwd, detail = reason
    upstream_request = UpstreamRequest(
        forwarded(request, policy),
        fwd,
        detail,
        selected=selected,
        matching=matches,
        stored_heads=_heads(candidates),
        variant=values_that_select(request, candidates, policy),
    )
    if fwd is Forwarded.PARTIAL and request.method != "HEAD":
        # the stored parts lack bytes that the request needs, so no 304 can make them the response
        return for_missing_part(replace(upstream_request, selected=None), request, selected, policy)
    return validating(upstream_request, validation.entries_to_validate(matches, selected))


def normalised(request: Request, policy: CachePolicy) -> Request:
    """Return the request as it is decided about: at an edge, clients say less than in their own words."""
    fields = request.fields
    if policy.identity.gateway:  # ledger SEC-04: the origin does not get these fields
        unkeyed = unkeyed_input(fields, request.method) | ambiguous_names(fields)
        fields = for_all_clients(fields.without(unkeyed))
    if policy.codings.classes:
        fields = with_class(fields)
    return request if fields is request.fields else request.with_fields(fields)


def _heads(candidates: Sequence[StoredResponse]) -> tuple[StoredResponse, ...]:
    """Return the stored responses to HEAD, which a stored response to GET replaces."""
    return tuple(entry for entry in candidates if entry.method == "HEAD")


def _refuse_target(request: Request, policy: CachePolicy, now: float) -> Refuse | None:
    """Return the error for a request whose target this proxy does not forward to, or None."""
    if is_loop(request, policy):
        sentence = f"A request for {request.uri} leads back to this proxy."
        answer = error_response(502, Refused.LOOP, sentence, policy, now, error="proxy_loop_detected")
        return Refuse(answer, Refused.LOOP)
    if reason := reason_to_prohibit(request, policy):
        sentence = f"This proxy does not forward requests of clients to {request.host}:{request.port}."
        # RFC 9209 §2.3.5, §2.3.17: the statuses that go with these errors
        status, error = (502, "destination_ip_prohibited") if reason is Refused.TARGET else (403, "http_request_denied")
        return Refuse(error_response(status, reason, sentence, policy, now, error=error), reason)
    if policy.requests.strict_host and is_misaddressed(request):
        sentence = f"Host or the TLS server name of this request differs from its target, {request.authority}."
        return Refuse(error_response(400, Refused.STRICT_HOST, sentence, policy, now), Refused.STRICT_HOST)
    return None


def _answer_locally(request: Request, policy: CachePolicy, now: float) -> Refuse | None:
    """Return the response to a request whose method is answered here, or None (RFC 9110 §7.6.2, §9.3.8)."""
    if request.method == "TRACE":
        sentence = "This proxy does not answer TRACE: the response would contain the credentials of the request."
        return _not_allowed(Refused.TRACE, sentence, policy, now)
    if request.method == "OPTIONS" and request.fields.get("max-forwards") == "0":
        sentence = f"The request for {request.uri} has Max-Forwards 0, so this proxy does not forward it."
        return Refuse(error_response(200, Refused.LAST_HOP, sentence, policy, now), Refused.LAST_HOP)
    return _refuse_method(request, policy, now) if policy.identity.gateway else None


def _refuse_method(request: Request, policy: CachePolicy, now: float) -> Refuse | None:
    """Return the error for a request with a method that an edge does not forward, or None."""
    match reason_to_refuse(request.method):
        case Refused.PURGE:
            sentence = "This client may not purge copies."
            return Refuse(error_response(403, Refused.PURGE, sentence, policy, now), Refused.PURGE)
        case Refused() as reason:
            sentence = f"This server does not forward the method {request.method}."
            return _not_allowed(reason, sentence, policy, now)
        case None:
            return None


def _not_allowed(reason: Refused, sentence: str, policy: CachePolicy, now: float) -> Refuse:
    answer = error_response(405, reason, sentence, policy, now)
    fields = answer.head.fields.appending(("Allow", ALLOW))  # RFC 9110 §15.5.6
    return Refuse(replace(answer, head=replace(answer.head, fields=fields)), reason)


def _forward(
    request: Request,
    fwd: Forwarded,
    detail: Detail | None,
    candidates: Sequence[StoredResponse],
    policy: CachePolicy,
) -> Forward:
    # a response to POST may be stored for later GETs (RFC 9110 §9.3.3), a response that bypasses the cache may not
    not_storable = None if fwd is Forwarded.METHOD else NotStored.BYPASSED
    return Forward(forwarded(request, policy), fwd, detail, not_storable, matching=tuple(candidates))


def _serve_memento(
    request: Request, candidates: Sequence[StoredResponse], policy: CachePolicy, now: float
) -> Serve | Refuse | None:
    """Return the capture that Accept-Datetime asks for, or None if there is none (RFC 7089 §4.1.3)."""
    wanted = request.fields.get(ACCEPT_DATETIME)
    captures = captures_for(request, candidates, policy, now) if wanted is not None else ()
    if not captures:
        return None
    moment = http_date(wanted, now)
    if moment is None:
        sentence = f'The value of Accept-Datetime, "{wanted}", is not an HTTP date.'
        answer = error_response(400, Refused.ACCEPT_DATETIME, sentence, policy, now, error="http_request_error")
        return Refuse(answer, Refused.ACCEPT_DATETIME)
    entry = capture_at(captures, moment)
    handling = Handling(hit=True, ttl=time_to_live(entry, policy, now), detail=Detail.MEMENTO)
    answer_from_copy = from_copy(request, entry, handling, policy, now, memento=True)
    return Serve(answer_from_copy, entry, handling, now, Detail.MEMENTO)


def _forward_for_recording(
    request: Request, client_directives: RequestDirectives, policy: CachePolicy, now: float
) -> Forward | Refuse:
    """Return the upstream request for a response to record: without preconditions, so that it has content."""
    if client_directives.only_if_cached or policy.network.offline:
        return _refuse_without_origin(request, policy, now)
    return Forward(forwarded(validation.unconditional(request), policy), Forwarded.BYPASS, Detail.RECORDING)


def _serve(
    request: Request,
    entry: StoredResponse,
    client_directives: RequestDirectives,
    policy: CachePolicy,
    now: float,
    *,
    waited_as: Forwarded | None,
) -> Serve:
    lifetime, ttl = freshness_lifetime(entry, policy), time_to_live(entry, policy, now)
    age = current_age(entry, policy, now)
    remaining = lifetime.seconds - age
    detail: Detail | None
    if policy.freshness.always_fresh:
        detail, remaining = Detail.REPLAY, math.inf
    elif reason_to_validate(entry, policy):
        detail, remaining = Detail.OVERRIDE_OFFLINE, 0.0  # nothing else allows its use
    elif remaining > 0 and entry.soft_purged:
        detail, remaining = Detail.SOFT_PURGED, 0.0  # its origin allows its use until its lifetime ends
        ttl = min(ttl, 0)
    elif remaining > 0 and entry.scrubbed:
        detail = Detail.SCRUBBED
    elif remaining > 0:
        detail = Detail.HEURISTIC if lifetime.source == "heuristic" else Detail.RULE if lifetime.by_rule else None
    else:
        detail = stale_use(entry, client_directives, policy, now)
    if is_head_of_part(request, entry):
        detail = Detail.HEAD_OF_PART  # nothing else allows its use
    behind = None
    if detail in BEHIND and not policy.network.offline:
        behind = background_validation(request, entry, policy, detail)
    if waited_as:
        handling = Handling(fwd=waited_as, fwd_status=entry.head.status, collapsed=True, ttl=ttl, detail=detail)
    else:
        handling = Handling(hit=True, ttl=ttl, detail=detail)
    max_age = client_directives.max_age
    # RFC 9111 §5.2.1.1, §5.2.1.3: the client's directives limit how long the decision is valid
    allowed = math.inf if max_age is None or policy.freshness.always_fresh else max_age - age
    return Serve(
        from_copy(request, entry, handling, policy, now),
        entry,
        handling,
        valid_until=now + max(0.0, min(remaining - client_directives.min_fresh, allowed)),
        detail=detail,
        background_validation=behind,
    )


def background_validation(
    request: Request, entry: StoredResponse, policy: CachePolicy, detail: Detail | None
) -> UpstreamRequest:
    """Return the request that validates a stored response in the background while it answers `request`."""
    upstream_request = UpstreamRequest(
        in_background(request, entry, policy), Forwarded.STALE, detail, selected=entry, matching=(entry,)
    )
    return validating(upstream_request, validation.entries_to_validate((entry,), entry))


def _miss(
    request: Request,
    candidates: Sequence[StoredResponse],
    client_directives: RequestDirectives,
    policy: CachePolicy,
    now: float,
    *,
    no_room: bool,
) -> Validate | Forward | Refuse:
    """Decide about a request that no stored response matches; `no_room` if a further variant is not stored."""
    if client_directives.only_if_cached or policy.network.offline:
        return _refuse_without_origin(request, policy, now)
    variants = tuple(entry for entry in candidates if entry.method == "GET")
    fwd = Forwarded.VARY_MISS if variants else Forwarded.URI_MISS
    if request.method == "OPTIONS":  # only offline a copy could have answered
        fwd = Forwarded.METHOD
    # RFC 9111 §4.3.2: a part is not offered for the whole, which a 304 could not make of it
    whole = (entry for entry in variants if entry.complete_length is None)
    offered = [entry for entry in whole if content_coding.may_select(entry, request)]
    to_validate = () if "range" in request.fields else validation.entries_to_validate(offered, None)
    # ledger RANGE-12: the whole response can answer later requests for other ranges too
    fetched = request.with_fields(request.fields.without(RANGE)) if policy.requests.fetch_whole else request
    upstream_request = UpstreamRequest(
        forwarded(fetched, policy),
        fwd,
        detail=_detail_of_miss(policy, no_room=no_room),
        not_storable=NotStored.TOO_MANY_VARIANTS if no_room else None,
        stored_heads=_heads(candidates),
        variant=values_that_select(request, variants, policy),
    )
    return validating(upstream_request, to_validate)


def _detail_of_miss(policy: CachePolicy, *, no_room: bool) -> Detail | None:
    if no_room:
        return Detail.TOO_MANY_VARIANTS
    return Detail.STORE_AWAY if policy.network.store_away else None


def _refuse_without_origin(request: Request, policy: CachePolicy, now: float) -> Refuse:
    if policy.network.offline:
        return _refuse_offline(request, policy, now)
    sentence = f"The request has only-if-cached, and no stored response may answer {request.uri}."
    return Refuse(error_response(504, Refused.ONLY_IF_CACHED, sentence, policy, now), Refused.ONLY_IF_CACHED)


def _refuse_offline(request: Request, policy: CachePolicy, now: float) -> Refuse:
    if policy.recording and policy.recording.is_replay:
        name = policy.recording.name
        sentence = f"The recording {name} has no response that may answer {request.method} {request.uri}."
        if asks_for_web_socket(request.fields):
            sentence += " Recordings have no WebSockets."
        elif request.method not in ("GET", "HEAD", "OPTIONS") and not request.content_digest:
            sentence += " Besides GET and HEAD, only a POST is replayed that a [[replay.post]] rule names."
        answer = error_response(504, Refused.REPLAY, sentence, policy, now, error="destination_unavailable")
        return Refuse(answer, Refused.REPLAY)
    why = f"{request.authority} cannot be reached now" if policy.network.disconnected else "This proxy is offline"
    sentence = f"{why}, and no stored response may answer {request.method} {request.uri}."
    answer = error_response(504, Refused.OFFLINE, sentence, policy, now, error="destination_unavailable")
    return Refuse(answer, Refused.OFFLINE)


def forward_after_damage(request: Request, policy: CachePolicy) -> Forward:
    """Return the upstream request for a request whose stored responses are all damaged."""
    return Forward(forwarded(request, policy), Forwarded.URI_MISS)
