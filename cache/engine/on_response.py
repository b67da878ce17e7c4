"""Decisions about a response of the origin, or about a failure to get one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cache.answer.cache_status import Handling, without_stored
from cache.answer.compose import error_response, from_copy, relayed
from cache.answer.responses import ErrorParameters
from cache.engine.decisions import (
    Complete,
    Delete,
    Forward,
    Freshen,
    Outcome,
    Refuse,
    Relay,
    Retry,
    Serve,
    Store,
    Update,
    UpstreamRequest,
)
from cache.engine.store_changes import changes, invalidations, outdated, updated
from cache.http.cache_control import request_directives
from cache.http.fields import entity_tags
from cache.http.messages import Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail, NotStored, Refused
from cache.rules import validation
from cache.rules.freshness import directives_of, stale_use_after_error, stale_use_when_disconnected, time_to_live
from cache.rules.invalidation import keys_in_doubt
from cache.rules.secrets import secrets_in
from cache.rules.selection import is_head_of_part
from cache.rules.site_responses import directives_for
from cache.rules.storability import content_range, forbidden_by_directive, new_entry, reason_not_to_store
from cache.rules.stored_parts import combined, may_belong_together, missing_range
from cache.rules.stored_response import StoredResponse

SERVER_ERRORS = frozenset({500, 502, 503, 504})
"""Status codes that stale-if-error applies to (RFC 5861 §4)."""

WITHOUT_CACHE = frozenset({"OPTIONS", "TRACE", "CONNECT"})
"""Methods in which the cache takes no part (RFC 9110 §9.3.6 to §9.3.8)."""


def on_response(
    request: Request,
    upstream_request: UpstreamRequest,
    received: Received,
    policy: CachePolicy,
    entry_id: str,
) -> Outcome:
    """Decide about an origin's response.

    Args:
        request: The client's request.
        upstream_request: The request that was sent to the origin for it.
        received: The head of the response.
        policy: The policy.
        entry_id: The id of the stored response, if this response is stored.
    """
    response, now = received.head, received.response_time
    if response.status == 304:
        return _on_not_modified(request, upstream_request, received, policy)
    if upstream_request.stored_parts and response.status in (206, 416):
        return _on_missing_part(upstream_request, upstream_request.stored_parts, received, policy, entry_id)
    if response.status in SERVER_ERRORS and (
        stale := _serve_after_error(request, upstream_request, response.status, policy, now)
    ):
        return stale
    not_stored = upstream_request.not_storable or reason_not_to_store(upstream_request.request, received, policy)
    # a response to HEAD is not stored beside one to GET, which it updates
    if not_stored is None and request.method == "HEAD" and _matches_get(upstream_request):
        not_stored = NotStored.METHOD
    if not_stored is None and response.status == 401 and _is_refused_credential(upstream_request, policy):
        not_stored = NotStored.CHALLENGE
    changed = changes(request, upstream_request, received, policy, stored=not_stored is None)
    handling = Handling(
        fwd=upstream_request.fwd,
        fwd_status=response.status,
        stored=not_stored is None,
        detail=upstream_request.detail,
        not_stored=not_stored,
    )
    # a preflight may be kept
    shown = None if request.method in WITHOUT_CACHE and not_stored is not None else handling
    answer = relayed(request, response, shown, policy, now)
    if not_stored is not None:
        return Relay(answer, not_stored, shown, changed)
    entry = new_entry(upstream_request.request, received, policy, entry_id)
    replaces = (*_replaced_ids(upstream_request, entry, policy), *_replaced_head_ids(upstream_request, entry))
    return Store(answer, entry, replaces, handling, changes=changed, secrets=secrets_in(response.fields, policy))


def _matches_get(upstream_request: UpstreamRequest) -> bool:
    """Return whether a complete stored response to GET matches the request."""
    return any(entry.method == "GET" and entry.complete_length is None for entry in upstream_request.matching)


def _is_refused_credential(upstream_request: UpstreamRequest, policy: CachePolicy) -> bool:
    """Return whether a 401 leaves the store of one user as it is: it refuses a credential, or better is stored."""
    has_better = any(entry.head.status < 400 for entry in upstream_request.matching)
    return bool(policy.private.scope) and (has_better or "authorization" in upstream_request.request.fields)


def _on_missing_part(
    upstream_request: UpstreamRequest, parts: StoredResponse, received: Received, policy: CachePolicy, entry_id: str
) -> Complete | Retry:
    """Decide about the missing part of a response. The client did not ask for a part, so it cannot be relayed.

    See RFC 9111 §3.4.
    """
    place = content_range(received.head)
    not_stored = upstream_request.not_storable or reason_not_to_store(upstream_request.request, received, policy)
    if place is None or not_stored:
        return Retry(without_copies(upstream_request))
    part = new_entry(upstream_request.request, received, policy, entry_id)
    responses = combined([replace(part, length=place.stop - place.first), *parts.parts])
    if len(responses) > 1 or missing_range(responses[0]):
        return Retry(without_copies(upstream_request))
    return Complete(part, tuple(_replaced_ids(upstream_request, part, policy)))


def response_from_parts(
    request: Request, upstream_request: UpstreamRequest, part: StoredResponse, policy: CachePolicy, now: float
) -> Serve:
    """Return the response from all stored parts, now that `part`, the missing one, is stored."""
    stored_parts = upstream_request.stored_parts.parts if upstream_request.stored_parts else ()
    whole = combined([part, *stored_parts])[0]
    handling = Handling(fwd=upstream_request.fwd, fwd_status=206)
    return Serve(from_copy(request, whole, handling, policy, now, validated=True), whole, handling, now)


def _replaced_ids(upstream_request: UpstreamRequest, new: StoredResponse, policy: CachePolicy) -> Iterator[str]:
    """Iterate over the ids of stored responses that a new one replaces, beside those that the store replaces itself."""
    selected = upstream_request.selected
    for old in (part for entry in upstream_request.matching for part in entry.parts):
        if new.complete_length is None:
            # with several captures, the store itself keeps or deletes the old state of the same variant
            is_capture = policy.storing.captures > 1 and (old.method, old.vary) == (new.method, new.vary)
            # RFC 9111 §4.3.5: a response to HEAD updates or invalidates what is stored of a GET, see `changes`
            is_kept = is_capture or (new.method == "HEAD" and old.method == "GET")
            replaced = selected is not None and old in selected.parts and not is_kept
        else:
            # RFC 9111 §3.4: parts of another representation can never be combined with the new one
            replaced = old.complete_length is not None and not may_belong_together(old, new)
        if replaced:
            yield old.id
            yield from (form.id for form in old.coded_forms)


def _replaced_head_ids(upstream_request: UpstreamRequest, new: StoredResponse) -> Iterator[str]:
    """Iterate over the ids of stored responses to HEAD that a new response replaces: a part only those it denies."""
    for head in upstream_request.stored_heads:
        if new.complete_length is None or not validation.same_representation(new, head.head):
            yield head.id


def _serve_after_error(
    request: Request, upstream_request: UpstreamRequest, status: int, policy: CachePolicy, now: float
) -> Serve | None:
    """Return the selected stale response in place of an error, if that is allowed (RFC 5861 §4), else None."""
    selected = upstream_request.selected
    if selected is None or is_head_of_part(request, selected):  # the origin can be asked
        return None
    client_directives = request_directives(request.fields)
    detail = stale_use_after_error(selected, client_directives, policy, now)
    if detail is None and policy.freshness.stale_on_5xx:
        allowed = stale_use_when_disconnected(selected, client_directives, policy, now)
        detail = Detail.STALE_ON_5XX if allowed else None
    if detail is None:
        return None
    ttl = time_to_live(selected, policy, now)
    handling = Handling(fwd=upstream_request.fwd, fwd_status=status, ttl=ttl, detail=detail)
    return Serve(from_copy(request, selected, handling, policy, now), selected, handling, now)


def _on_not_modified(
    request: Request, upstream_request: UpstreamRequest, received: Received, policy: CachePolicy
) -> Freshen | Relay | Retry | Refuse:
    response, now = received.head, received.response_time
    if upstream_request.to_validate and upstream_request.not_storable is NotStored.LENIENT_ORIGIN:
        return Retry(without_copies(upstream_request))  # nothing that is stored may take its fields from this response
    confirmed = validation.confirmed_entries(upstream_request.to_validate, upstream_request.request, response)
    if confirmed:
        return _freshen(request, upstream_request, confirmed, received, policy)
    selected = upstream_request.selected
    is_validated = selected is not None and selected in upstream_request.to_validate
    if selected and is_validated and validation.is_nearly_named(selected, upstream_request.request, response):
        return _reuse(request, upstream_request, selected, received, policy)
    unconfirmed = outdated(upstream_request.to_validate)
    if _is_for_the_client(request, upstream_request, response):
        not_stored = NotStored.STATUS
        handling = Handling(
            fwd=upstream_request.fwd, fwd_status=304, detail=upstream_request.detail, not_stored=not_stored
        )
        return Relay(relayed(request, response, handling, policy, now), not_stored, handling, unconfirmed)
    if upstream_request.is_retry:
        sentence = f"{request.authority} sent 304 in response to a request without preconditions for {request.uri}."
        answer = error_response(502, Refused.UNEXPECTED_304, sentence, policy, now, error="http_protocol_error")
        return Refuse(answer, Refused.UNEXPECTED_304, unconfirmed)
    return Retry(without_copies(upstream_request), unconfirmed)


def _is_for_the_client(request: Request, upstream_request: UpstreamRequest, response: Response) -> bool:
    """Return whether a 304 that confirms no stored response answers a client's precondition (RFC 9110 §15.4.5)."""
    if upstream_request.is_retry:
        return False
    if not upstream_request.to_validate:
        return any(name in request.fields for name in ("if-none-match", "if-modified-since"))
    tag = validation.entity_tag(response.fields)
    tags = request.fields.get("if-none-match")
    return tag is not None and tags is not None and tag in entity_tags(tags)


def _freshen(
    request: Request,
    upstream_request: UpstreamRequest,
    confirmed: tuple[StoredResponse, ...],
    received: Received,
    policy: CachePolicy,
) -> Freshen:
    entry = validation.freshened(confirmed[0], upstream_request.request, received, policy)
    handling = Handling(fwd=upstream_request.fwd, fwd_status=304, detail=upstream_request.detail)
    shown = validation.with_withheld_fields(entry, received, policy)
    answer = from_copy(request, shown, handling, policy, received.response_time, validated=True)
    directives = directives_of(entry, policy)
    if forbidden_by_directive(directives, policy):
        # RFC 9111 §3: the 304 forbids storing, so the response answers this request and is deleted
        return Freshen(answer, entry, handling, tuple(map(Delete, entry.parts)))
    if confirmed == (confirmed[0],) and validation.confirms_only(confirmed[0], entry, policy):
        return Freshen(answer, entry, handling)
    is_whole = not entry.combined_parts
    updates = updated(confirmed[is_whole:], upstream_request, received, policy)
    return Freshen(answer, entry, handling, (Update(entry), *updates) if is_whole else updates)


def _reuse(
    request: Request,
    upstream_request: UpstreamRequest,
    selected: StoredResponse,
    received: Received,
    policy: CachePolicy,
) -> Freshen:
    """Answer from the selected response, which a 304 confirms without a validator that allows an update.

    See RFC 9111 §4.3.4.
    """
    entry = validation.with_new_age(selected, received, policy.freshness.clock)
    handling = Handling(fwd=upstream_request.fwd, fwd_status=304, detail=upstream_request.detail)
    shown = validation.with_withheld_fields(entry, received, policy)
    answer = from_copy(request, shown, handling, policy, received.response_time, validated=entry is not selected)
    confirmed = replace(entry.head, fields=received.head.fields)  # the stored status is what rules are about
    if forbidden_by_directive(directives_for(entry.target, confirmed, policy), policy):
        return Freshen(answer, entry, handling, tuple(map(Delete, selected.parts)))
    updates = (Update(validation.with_new_age(part, received, policy.freshness.clock)) for part in selected.parts)
    return Freshen(answer, entry, handling, () if entry is selected else tuple(updates))


# ---- failures


def without_storing(decision: Store, reason: NotStored) -> Relay:
    """Return the decision to relay a response that could not be stored after all."""
    handling = replace(decision.handling, stored=False, not_stored=reason)
    detail = None if decision.response.exemption else handling.reason
    response = replace(decision.response, head=without_stored(decision.response.head, detail))
    return Relay(response, reason, handling, decision.changes)


def on_failure(
    request: Request,
    upstream_request: UpstreamRequest,
    policy: CachePolicy,
    now: float,
    *,
    error: str,
    sentence: str,
    disconnected: bool,
    parameters: ErrorParameters = (),
) -> Serve | Refuse:
    """Decide about a request that got no response from the origin.

    Args:
        request: The client's request.
        upstream_request: The request that was sent to the origin for it.
        policy: The policy.
        now: The time, in seconds since the epoch.
        error: The proxy error type of RFC 9209 §2.3.
        sentence: A sentence about the failure, for people.
        disconnected: The origin could not be reached at all.
        parameters: The parameters of the proxy error type.
    """
    doubt = invalidations(keys_in_doubt(request), policy)
    selected = upstream_request.selected
    if selected is not None:
        stale = stale_use_when_disconnected if disconnected else stale_use_after_error
        if detail := stale(selected, request_directives(request.fields), policy, now):
            detail = Detail.HEAD_OF_PART if is_head_of_part(request, selected) else detail
            handling = Handling(hit=True, ttl=time_to_live(selected, policy, now), detail=detail)
            return Serve(from_copy(request, selected, handling, policy, now), selected, handling, now, detail)
        explained = f"{sentence} A stored response exists, but it must not be used without validation."
        answer = error_response(
            504, Refused.STALE_FORBIDDEN, explained, policy, now, error=error, parameters=parameters
        )
        return Refuse(answer, Refused.STALE_FORBIDDEN, doubt)
    reason = Refused.TARGET if error == "destination_ip_prohibited" else Refused.FETCH_FAILED
    status = status_of_failure(error)
    answer = error_response(status, reason, sentence, policy, now, error=error, parameters=parameters)
    return Refuse(answer, reason, doubt)


def status_of_failure(error: str) -> int:
    """Return the status for a proxy error type: 504 for a timeout, else 502 (RFC 9209 §2.3)."""
    if error == "http_request_error":  # RFC 9209 §2.3.18: an error of the client
        return 400
    return 504 if error.endswith("_timeout") else 502


def without_copies(upstream_request: UpstreamRequest) -> Forward:
    """Return the same upstream request again, made independent of stored responses."""
    request = validation.unconditional(upstream_request.request)
    if upstream_request.stored_parts:  # the Range is of this cache, not of the client
        request = request.with_fields(request.fields.without(["range"]))
    return Forward(
        request,
        upstream_request.fwd,
        upstream_request.detail,
        upstream_request.not_storable,
        matching=upstream_request.matching,
        stored_heads=upstream_request.stored_heads,
        is_retry=True,
    )
