"""What an answer from the origin says about responses that are already stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cache.engine.decisions import Change, Delete, Invalidate, InvalidateGroups, Update, UpstreamRequest
from cache.http.messages import Received, Request, Response
from cache.policy.cache_policy import CachePolicy, heeds_groups
from cache.policy.reasons import Detail
from cache.rules import validation
from cache.rules.groups import groups, invalidated_groups
from cache.rules.invalidation import invalidated_keys
from cache.rules.key import keys, primary_key
from cache.rules.stored_response import StoredResponse


def changes(
    request: Request,
    sent: UpstreamRequest,
    received: Received,
    policy: CachePolicy,
    *,
    stored: bool,
) -> tuple[Change, ...]:
    """Return what a complete answer says about responses that are already stored."""
    if request.method not in ("GET", "HEAD"):
        named = invalidated_keys(request, received.head)
        grouped = _invalidated_groups(request, sent, received.head, policy) if named else ()
        return (*invalidations(named, policy), *grouped)
    if sent.selected is None or received.head.status >= 500:
        return ()
    if sent.detail is Detail.AUTHORIZATION:
        return ()  # what one client may not see says nothing of what all may
    if request.method == "HEAD":
        return _head_changes(sent, received, policy)
    if received.head.status in (404, 410) and policy.storing.captures == 1:
        return tuple(map(Delete, sent.selected.parts))
    # RFC 9111 §4.3.3: a full answer ends what the stored one was good for
    return () if stored else outdated([sent.selected])


def invalidations(primary_keys: Iterable[str], policy: CachePolicy) -> tuple[Invalidate, ...]:
    """Return what marks every stored response for these keys as needing validation."""
    return tuple(Invalidate(key) for primary in primary_keys for key in keys(primary, policy))


def _invalidated_groups(
    request: Request, sent: UpstreamRequest, head: Response, policy: CachePolicy
) -> tuple[InvalidateGroups, ...]:
    """Return what goes out of date with what was just invalidated (RFC 9875 §2.2.1, §3)."""
    if not heeds_groups(request.host, policy):
        return ()
    named = invalidated_groups(head.fields).union(*(groups(entry.head.fields) for entry in sent.matching))
    origin = primary_key(replace(request, target="/"))  # RFC 9875 §2.1: a group is of one origin
    return (InvalidateGroups(origin, named),) if named else ()


def _head_changes(sent: UpstreamRequest, received: Received, policy: CachePolicy) -> tuple[Change, ...]:
    """Return what a HEAD answer says about stored GET answers (RFC 9111 §4.3.5)."""
    stored = [entry for entry in sent.matching if entry.method == "GET"]
    if received.head.status in (404, 410):
        return outdated(stored)
    if received.head.status != 200:
        return ()
    # what is left of a scrubbed one is nothing that the origin describes
    described = [entry for entry in stored if not entry.scrubbed]
    same = [entry for entry in described if validation.same_representation(entry, received.head)]
    return refreshed(same, sent, received, policy) + outdated(entry for entry in described if entry not in same)


def refreshed(
    entries: Iterable[StoredResponse], sent: UpstreamRequest, received: Received, policy: CachePolicy
) -> tuple[Update, ...]:
    """Return the updates that a confirmation brings to stored responses, part by part."""
    return tuple(
        Update(validation.freshened(part, sent.request, received, policy)) for entry in entries for part in entry.parts
    )


def outdated(entries: Iterable[StoredResponse]) -> tuple[Update, ...]:
    """Return the updates that mark stored responses as needing validation before any use."""
    return tuple(
        Update(replace(part, invalid=True, revision=part.revision + 1)) for entry in entries for part in entry.parts
    )
