"""Captures: several states of one response kept over time, and which of them a request asks for (RFC 7089).

The URI is its own TimeGate, and no capture has a URI of its own (RFC 7089 §4.1.3). A capture stands for its state
from the second in which it was received until the next one was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from cache.http.cache_control import shareable_although_authorized
from cache.http.fields import imf_date
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import directives_of, is_fresh, never_stale
from cache.rules.key import matches
from cache.rules.ownership import is_confined
from cache.rules.stored_response import StoredResponse

ACCEPT_DATETIME = "accept-datetime"


def current(candidates: Sequence[StoredResponse]) -> tuple[StoredResponse, ...]:
    """Return the stored responses without those that are only kept as captures of the past, order as it was."""
    latest: dict[object, StoredResponse] = {}
    for entry in candidates:
        if entry.complete_length is None:
            known = latest.get((entry.method, entry.vary))
            if known is None or entry.stored_at > known.stored_at:
                latest[entry.method, entry.vary] = entry
    kept = {entry.id for entry in latest.values()}
    return tuple(entry for entry in candidates if entry.complete_length is not None or entry.id in kept)


def worth_keeping(new: StoredResponse, old: Iterable[StoredResponse], captures: int) -> set[str]:
    """Return the ids of those that stay as captures, among the responses that a new one takes the place of.

    `old` are these, most recently stored first.
    `captures` is how many states are kept, the new one included. The same octets fetched again are the same state,
    of which the first stays: it says since when that is so.
    """
    if captures == 1 or new.complete_length is not None:
        return set()
    whole = [entry for entry in (*reversed(list(old)), new) if entry.complete_length is None]
    whole.sort(key=lambda entry: entry.stored_at)
    firsts = [next(run) for _, run in groupby(whole, key=lambda entry: (entry.sha256, entry.head.status))]
    return {entry.id for entry in firsts[-captures:]} - {new.id}


def captures_for(
    request: Request, candidates: Sequence[StoredResponse], policy: CachePolicy, now: float
) -> tuple[StoredResponse, ...]:
    """Return the captures that may answer a request for a past state, oldest first; none where that is not ours to do.

    `now` is in seconds since the epoch.
    """
    if any(name == ACCEPT_DATETIME for entry in candidates for name, _ in entry.vary):
        return ()  # the origin negotiates itself
    fitting = [entry for entry in candidates if _may_answer(request, entry, policy, now)]
    return tuple(sorted(fitting, key=lambda entry: entry.stored_at))


def _may_answer(request: Request, entry: StoredResponse, policy: CachePolicy, now: float) -> bool:
    if entry.method == "HEAD" or entry.complete_length is not None or not matches(entry, request, policy):
        return False
    if "memento-datetime" in entry.head.fields:  # an archive's own memento is nobody's capture
        return False
    directives = directives_of(entry, policy)
    shareable = shareable_although_authorized(directives) or is_confined(entry)
    if "authorization" in request.fields and not shareable:
        return False
    # that it was invalidated says that its state has ended, which a request for the past knows
    state = replace(entry, invalid=False)
    # RFC 9111 §5.2.2.2, §5.2.2.4: a past state cannot be validated, so what must be is not used once it is stale
    return not directives.no_cache and (is_fresh(state, policy, now) or not never_stale(state, policy))


def chosen(captures: Sequence[StoredResponse], moment: float) -> StoredResponse:
    """Return the capture that stands for a moment, in seconds since the epoch; the first for all time before it.

    `captures` are those of `captures_for`, at least one.
    """
    held = [entry for entry in captures if int(entry.stored_at) <= moment]
    return held[-1] if held else captures[0]


def told(entry: StoredResponse, fields: Fields, policy: CachePolicy, *, memento: bool) -> Fields:
    """Return an answer's fields with what is to be said of its time; `memento` is one that was chosen by it."""
    several = policy.storing.captures > 1
    # RFC 7089 §4.5: what is a memento already stays the same one
    if (memento or policy.presentation.memento) and "memento-datetime" not in fields:
        moment = imf_date(entry.stored_at)
        fields = fields.appending(
            ("Memento-Datetime", moment if several else fields.get("date") or moment),  # RFC 7089 §2.1.1
            ("Link", f'<{entry.target}>; rel="{"original timegate" if several else "original"}"'),  # RFC 7089 §2.2
        )
    named = (fields.get("vary") or "").lower()
    if not several or ACCEPT_DATETIME in named or "*" in named:
        return fields
    return fields.appending(("Vary", ACCEPT_DATETIME))  # RFC 7089 §2.1.2
