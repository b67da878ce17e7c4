"""What an origin's answer leads to, or the lack of one; with what changes in the store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cache.answer.cache_status import Handling
from cache.answer.compose import error_response, from_copy, relayed
from cache.engine.decisions import (
    Complete,
    Delete,
    Forward,
    Freshen,
    Refuse,
    Relay,
    Retry,
    Serve,
    Store,
    Update,
    UpstreamRequest,
)
from cache.engine.store_changes import changes, invalidations, outdated, refreshed
from cache.http.cache_control import request_directives, response_directives
from cache.http.fields import entity_tags
from cache.http.messages import Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail, NotStored, Refused
from cache.rules import validation
from cache.rules.freshness import stale_use_after_error, stale_use_when_disconnected, time_to_live
from cache.rules.invalidation import keys_in_doubt
from cache.rules.secrets import secrets_in
from cache.rules.storability import content_range, forbidden_to_keep, new_entry, reason_not_to_store
from cache.rules.stored_parts import combined, gap, strong_validator
from cache.rules.stored_response import StoredResponse

FAILURES = frozenset({500, 502, 503, 504})
"""Answers that count as errors for stale-if-error (RFC 5861 §4)."""


def on_response(
    request: Request,
    sent: UpstreamRequest,
    received: Received,
    policy: CachePolicy,
    entry_id: str,
) -> Store | Complete | Freshen | Relay | Serve | Retry | Refuse:
    """Decide what an origin's response leads to; `request` is the client's, `entry_id` names what may be stored."""
    response, now = received.head, received.response_time
    if response.status == 304:
        return _on_not_modified(request, sent, received, policy)
    if sent.completes and response.status in (206, 416):
        return _on_missing_part(sent, sent.completes, received, policy, entry_id)
    if (
        sent.selected
        and response.status in FAILURES
        and (stale := _serve_after_error(request, sent, sent.selected, response.status, policy, now))
    ):
        return stale
    not_stored = sent.not_storable or reason_not_to_store(sent.request, received, policy)
    # a HEAD answer is kept only where there is no GET answer to freshen
    if not_stored is None and request.method == "HEAD" and any(entry.method == "GET" for entry in sent.matching):
        not_stored = NotStored.METHOD
    if not_stored is None and response.status == 401 and _ends_nothing(sent, policy):
        not_stored = NotStored.CHALLENGE
    changed = changes(request, sent, received, policy, stored=not_stored is None)
    handling = Handling(fwd=sent.fwd, fwd_status=response.status, stored=not_stored is None, detail=sent.detail)
    # RFC 9110 §9.3.6 to §9.3.8: the cache has no part in these
    shown = None if request.method in ("OPTIONS", "TRACE", "CONNECT") else handling
    answer = relayed(request, response, shown, policy, now)
    if not_stored is not None:
        return Relay(answer, not_stored, shown, changed)
    entry = new_entry(sent.request, received, policy, entry_id)
    replaces = (*_replaced(sent, entry, policy), *sent.heads)
    return Store(answer, entry, replaces, handling, changed, secrets_in(response.fields, policy))


def _ends_nothing(sent: UpstreamRequest, policy: CachePolicy) -> bool:
    """Tell whether a 401, like that to an expired password, is no reason for one user's cache to lose what it has."""
    has_better = any(entry.head.status < 400 for entry in sent.matching)
    return bool(policy.private.scope) and (has_better or "authorization" in sent.request.fields)


def _on_missing_part(
    sent: UpstreamRequest, parts: StoredResponse, received: Received, policy: CachePolicy, entry_id: str
) -> Complete | Retry:
    """Return what becomes of a part that only this cache asked for: no client could be given it (RFC 9111 §3.4)."""
    place = content_range(received.head)
    if place is None or sent.not_storable or reason_not_to_store(sent.request, received, policy):
        return Retry(without_copies(sent))
    part = new_entry(sent.request, received, policy, entry_id)
    seen = combined([replace(part, length=place.stop - place.first), *parts.parts])
    if len(seen) > 1 or gap(seen[0]):
        return Retry(without_copies(sent))
    return Complete(part, tuple(_replaced(sent, part, policy)))


def completed(request: Request, sent: UpstreamRequest, part: StoredResponse, policy: CachePolicy, now: float) -> Serve:
    """Return the answer of the stored parts, now that `part` is one of them and none is missing."""
    whole = combined([part, *(sent.completes.parts if sent.completes else ())])[0]
    handling = Handling(fwd=sent.fwd, fwd_status=206)
    return Serve(from_copy(request, whole, handling, policy, now, validated=True), whole, handling, now)


def _replaced(sent: UpstreamRequest, new: StoredResponse, policy: CachePolicy) -> Iterator[str]:
    """Iterate over the ids of what a new stored response takes the place of, besides what answers the same requests."""
    for old in (part for entry in sent.matching for part in entry.parts):
        if new.complete_length is None:
            ends = sent.selected is not None and old in sent.selected.parts
            # the store keeps it as a capture, as long as there are not too many
            ends = ends and not (policy.storing.captures > 1 and (old.method, old.vary) == (new.method, new.vary))
        else:
            # RFC 9111 §3.4: parts of another representation are never joined with it again
            ends = old.complete_length is not None and strong_validator(old) != strong_validator(new)
        if ends:
            yield old.id


def _serve_after_error(
    request: Request, sent: UpstreamRequest, selected: StoredResponse, status: int, policy: CachePolicy, now: float
) -> Serve | None:
    """Return the stale copy in place of an error, where stale-if-error covers it (RFC 5861 §4)."""
    asked = request_directives(request.fields)
    detail = stale_use_after_error(selected, asked, policy, now)
    if detail is None and policy.freshness.stale_on_5xx and stale_use_when_disconnected(selected, asked, policy, now):
        detail = Detail.STALE_ON_5XX
    if detail is None:
        return None
    ttl = time_to_live(selected, policy, now)
    handling = Handling(fwd=sent.fwd, fwd_status=status, ttl=ttl, detail=detail)
    return Serve(from_copy(request, selected, handling, policy, now), selected, handling, now)


def _on_not_modified(
    request: Request, sent: UpstreamRequest, received: Received, policy: CachePolicy
) -> Freshen | Relay | Retry | Refuse:
    response, now = received.head, received.response_time
    confirmed = validation.confirmed(sent.nominated, sent.request, response)
    if confirmed:
        return _freshen(request, sent, confirmed, received, policy)
    overtaken = outdated(sent.nominated)
    if _answers_the_client(request, sent, response):
        handling = Handling(fwd=sent.fwd, fwd_status=304, detail=sent.detail)
        return Relay(relayed(request, response, handling, policy, now), NotStored.STATUS, handling, overtaken)
    if sent.repeated:
        sentence = f"{request.authority} answered 304 to a request without preconditions for {request.uri}."
        answer = error_response(502, Refused.UNEXPECTED_304, sentence, policy, now, "http_protocol_error")
        return Refuse(answer, Refused.UNEXPECTED_304, overtaken)
    return Retry(without_copies(sent), overtaken)


def _answers_the_client(request: Request, sent: UpstreamRequest, response: Response) -> bool:
    """Tell whether a 304 that confirms nothing stored may be what the client asked for (RFC 9110 §15.4.5)."""
    if sent.repeated:
        return False
    if not sent.nominated:
        return any(name in request.fields for name in ("if-none-match", "if-modified-since"))
    tag = validation.entity_tag(response.fields)
    listed = request.fields.get("if-none-match")
    return tag is not None and listed is not None and tag in entity_tags(listed)


def _freshen(
    request: Request,
    sent: UpstreamRequest,
    confirmed: tuple[StoredResponse, ...],
    received: Received,
    policy: CachePolicy,
) -> Freshen:
    entry = validation.freshened(confirmed[0], sent.request, received, policy)
    handling = Handling(fwd=sent.fwd, fwd_status=304, detail=sent.detail)
    told = validation.as_answered(entry, received, policy)
    answer = from_copy(request, told, handling, policy, received.response_time, validated=True)
    directives = response_directives(entry.head.fields, policy.targeted_fields)
    if forbidden_to_keep(directives, policy):
        # RFC 9111 §3: what the origin now forbids to keep answers this request and is gone
        return Freshen(answer, entry, handling, tuple(map(Delete, entry.parts)))
    whole = not entry.pieces
    updates = refreshed(confirmed[whole:], sent, received, policy)
    return Freshen(answer, entry, handling, (Update(entry), *updates) if whole else updates)


# ---- failures


def on_failure(
    request: Request,
    sent: UpstreamRequest,
    error: str,
    sentence: str,
    policy: CachePolicy,
    now: float,
    *,
    disconnected: bool,
) -> Serve | Refuse:
    """Decide what a fetch without an answer leads to.

    `error` is a type of RFC 9209 §2.3; `disconnected` says that the origin could not be reached at all.
    """
    doubt = invalidations(keys_in_doubt(request), policy)
    asked, selected = request_directives(request.fields), sent.selected
    if selected is not None:
        allowed = stale_use_when_disconnected if disconnected else stale_use_after_error
        if detail := allowed(selected, asked, policy, now):
            handling = Handling(hit=True, ttl=time_to_live(selected, policy, now), detail=detail)
            return Serve(from_copy(request, selected, handling, policy, now), selected, handling, now)
        explained = f"{sentence} A stored response exists but must not be sent without the origin's consent."
        answer = error_response(504, Refused.STALE_FORBIDDEN, explained, policy, now, error)
        return Refuse(answer, Refused.STALE_FORBIDDEN, doubt)
    reason = Refused.TARGET if error == "destination_ip_prohibited" else Refused.FETCH_FAILED
    return Refuse(error_response(status_of_failure(error), reason, sentence, policy, now, error), reason, doubt)


def status_of_failure(error: str) -> int:
    """Return the status for a type of proxy error: 504 for what took too long, else 502 (RFC 9209 §2.3)."""
    if error == "http_request_error":  # RFC 9209 §2.3.18: the client's
        return 400
    return 504 if error.endswith("_timeout") else 502


def without_copies(sent: UpstreamRequest) -> Forward:
    """Return the same question asked again, without leaning on anything stored."""
    request = validation.unconditional(sent.request)
    if sent.completes:  # nobody but this cache asked for a part
        request = request.with_fields(request.fields.without(["range"]))
    return Forward(
        request, sent.fwd, sent.detail, sent.not_storable, matching=sent.matching, heads=sent.heads, repeated=True
    )
