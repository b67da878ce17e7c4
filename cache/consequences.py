"""What an answer from the origin says about responses that are already stored."""

from __future__ import annotations

from dataclasses import replace

from cache import validation
from cache.decisions import Change, Delete, Invalidate, Sent, Update
from cache.entry import StoredResponse
from cache.invalidation import invalidated_keys
from cache.messages import Received, Request
from cache.policy import CachePolicy
from cache.reasons import NotStored


def changes(
    request: Request,
    sent: Sent,
    received: Received,
    policy: CachePolicy,
    *,
    stored: bool,
) -> tuple[Change, ...]:
    """Return what a complete answer says about responses that are already stored."""
    if request.method not in ("GET", "HEAD"):
        return tuple(Invalidate(key) for key in invalidated_keys(request, received.head))
    if sent.not_storable is NotStored.BYPASSED or sent.selected is None or received.head.status >= 500:
        return ()
    if request.method == "HEAD":
        return _head_changes(sent, received, policy)
    if received.head.status in (404, 410):
        return (Delete(sent.selected),)
    # RFC 9111 §4.3.3: a full answer ends what the stored one was good for
    return () if stored else (Update(invalid(sent.selected)),)


def _head_changes(sent: Sent, received: Received, policy: CachePolicy) -> tuple[Change, ...]:
    """Return what a HEAD answer says about stored GET answers (RFC 9111 §4.3.5)."""
    stored = [entry for entry in sent.matching if entry.method == "GET"]
    if received.head.status in (404, 410):
        return tuple(Update(invalid(entry)) for entry in stored)
    if received.head.status != 200:
        return ()
    return tuple(
        Update(validation.freshened(entry, sent.request, received, policy))
        if validation.same_representation(entry, received.head)
        else Update(invalid(entry))
        for entry in stored
    )


def invalid(entry: StoredResponse) -> StoredResponse:
    """Return a stored response marked as needing validation before any use."""
    return replace(entry, invalid=True, revision=entry.revision + 1)
