"""The changes to stored responses that follow from a response of the origin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cache.engine.decisions import Change, Delete, Invalidate, InvalidateGroups, Update, UpstreamRequest
from cache.http.messages import Received, Request, Response
from cache.policy.cache_policy import CachePolicy, obeys_groups
from cache.policy.reasons import Detail, NotStored
from cache.rules import validation
from cache.rules.content_coding import may_confirm
from cache.rules.groups import groups, invalidated_groups
from cache.rules.invalidation import invalidated_keys
from cache.rules.key import keys, primary_key
from cache.rules.stored_response import StoredResponse


def changes(
    request: Request,
    upstream_request: UpstreamRequest,
    received: Received,
    policy: CachePolicy,
    *,
    stored: bool,
) -> tuple[Change, ...]:
    """Return the changes that follow from a response that validates nothing; `stored` if it is stored itself."""
    if request.method not in ("GET", "HEAD"):
        invalidated = invalidated_keys(request, received.head)
        grouped = _invalidated_groups(request, upstream_request, received.head, policy) if invalidated else ()
        return (*invalidations(invalidated, policy), *grouped)
    if upstream_request.selected is None or received.head.status >= 500:
        return ()
    if upstream_request.detail is Detail.AUTHORIZATION:
        return ()  # a response to an authorized client says nothing about the one for all clients
    if request.method == "HEAD" and upstream_request.not_storable is NotStored.LENIENT_ORIGIN:
        return ()
    if request.method == "HEAD":
        return _changes_by_head(upstream_request, received, policy)
    if received.head.status in (404, 410) and policy.storing.captures == 1:
        return tuple(map(Delete, upstream_request.selected.parts))
    # RFC 9111 §4.3.3: a full response replaces the stored one; if it is not stored, the old one is out of date
    return () if stored else outdated([upstream_request.selected])


def invalidations(primary_keys: Iterable[str], policy: CachePolicy) -> tuple[Invalidate, ...]:
    """Return the changes that mark every stored response for these primary keys as needing validation."""
    return tuple(Invalidate(key) for primary in primary_keys for key in keys(primary, policy))


def _invalidated_groups(
    request: Request, upstream_request: UpstreamRequest, head: Response, policy: CachePolicy
) -> tuple[InvalidateGroups, ...]:
    """Return the change that invalidates groups: those that the head names, and those of the invalidated responses.

    See RFC 9875 §2.2.1 and §3.
    """
    if not obeys_groups(request.host, policy):
        return ()
    names = invalidated_groups(head.fields).union(*(groups(entry.head.fields) for entry in upstream_request.matching))
    origin = primary_key(replace(request, target="/"))  # RFC 9875 §2.1: a group belongs to one origin
    return (InvalidateGroups(origin, names),) if names else ()


def _changes_by_head(upstream_request: UpstreamRequest, received: Received, policy: CachePolicy) -> tuple[Change, ...]:
    """Return the changes to stored responses to GET that follow from a response to HEAD (RFC 9111 §4.3.5)."""
    stored = [entry for entry in upstream_request.matching if entry.method == "GET"]
    if received.head.status in (404, 410):
        return outdated(stored)
    if received.head.status != 200:
        return ()
    # the response describes the original content, not a scrubbed one
    described = [entry for entry in stored if not entry.scrubbed]
    same = [
        entry
        for entry in described
        if validation.same_representation(entry, received.head)
        and may_confirm(entry, upstream_request.request, received.head.fields)
    ]
    updates = updated(same, upstream_request, received, policy)
    return updates + outdated(entry for entry in described if entry not in same)


def updated(
    entries: Iterable[StoredResponse], upstream_request: UpstreamRequest, received: Received, policy: CachePolicy
) -> tuple[Update, ...]:
    """Return the updates that confirm stored responses, one for each stored part."""
    return tuple(
        Update(validation.freshened(part, upstream_request.request, received, policy))
        for entry in entries
        for part in entry.parts
    )


def outdated(entries: Iterable[StoredResponse]) -> tuple[Update, ...]:
    """Return the updates that mark stored responses as needing validation, one for each stored part."""
    return tuple(
        Update(replace(part, invalid=True, revision=part.revision + 1)) for entry in entries for part in entry.parts
    )
