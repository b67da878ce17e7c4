"""Mementos: past states of a response that are kept, and the one that a request asks for (RFC 7089).

A kept state is called a capture. It stands for the time from the second it was received until the next capture was
received. The URI is its own TimeGate, and captures have no URIs of their own (RFC 7089 §4.1.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from cache.http.cache_control import is_shareable_if_authorized
from cache.http.fields import imf_date
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import directives_of, forbids_stale, is_fresh
from cache.rules.key import spelling
from cache.rules.ownership import is_bound_to_credential
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import matches

ACCEPT_DATETIME = "accept-datetime"


def current(candidates: Sequence[StoredResponse]) -> tuple[StoredResponse, ...]:
    """Return the stored responses without past captures, in the same order."""
    latest: dict[object, StoredResponse] = {}
    for entry in candidates:
        if entry.complete_length is None:
            name = entry.method, entry.vary, spelling(entry.target, entry.key)
            known = latest.get(name)
            if known is None or entry.stored_at > known.stored_at:
                latest[name] = entry
    kept = {entry.id for entry in latest.values()}
    return tuple(entry for entry in candidates if entry.complete_length is not None or entry.id in kept)


def captures_to_keep(new: StoredResponse, old: Iterable[StoredResponse], captures: int) -> set[str]:
    """Return the ids of the old responses that stay as captures when a new one replaces them.

    `old` are the replaced responses, most recently stored first. `captures` is the number of states to keep, the new
    one included. Consecutive responses with the same status and content are one state; the first of them is kept,
    because it was received when that state began.
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
    """Return the captures that may answer a request for a past state, oldest first.

    There are none if the origin itself negotiates in time. `now` is in seconds since the epoch.
    """
    if any(name == ACCEPT_DATETIME for entry in candidates for name, _ in entry.vary):
        return ()  # the origin selects by Accept-Datetime itself
    fitting = [entry for entry in candidates if _may_answer(request, entry, policy, now)]
    return tuple(sorted(fitting, key=lambda entry: entry.stored_at))


def _may_answer(request: Request, entry: StoredResponse, policy: CachePolicy, now: float) -> bool:
    if entry.method == "HEAD" or entry.complete_length is not None or not matches(entry, request, policy):
        return False
    if "memento-datetime" in entry.head.fields:  # it is a memento of an archive, with a time of its own
        return False
    directives = directives_of(entry, policy)
    shareable = is_shareable_if_authorized(directives) or is_bound_to_credential(entry)
    if "authorization" in request.fields and not shareable:
        return False
    # an invalidated response is a past state, and a past state is what the client asks for
    state = replace(entry, invalid=False)
    # RFC 9111 §5.2.2.2, §5.2.2.4: the origin cannot validate a past state, so one that needs it is not used
    return not directives.no_cache and (is_fresh(state, policy, now) or not forbids_stale(state, policy, outage=True))


def capture_at(captures: Sequence[StoredResponse], moment: float) -> StoredResponse:
    """Return the capture for a moment, in seconds since the epoch; the first capture for any time before it.

    `captures` are the result of `captures_for`, at least one.
    """
    earlier = [entry for entry in captures if int(entry.stored_at) <= moment]
    return earlier[-1] if earlier else captures[0]


def with_memento_fields(entry: StoredResponse, fields: Fields, policy: CachePolicy, *, memento: bool) -> Fields:
    """Return a response's fields with those of RFC 7089; `memento` if Accept-Datetime selected it."""
    several = policy.storing.captures > 1
    # RFC 7089 §4.5: a response that is a memento already keeps its time
    if (memento or policy.presentation.memento) and "memento-datetime" not in fields:
        moment = imf_date(entry.stored_at)
        fields = fields.appending(
            ("Memento-Datetime", moment if several else fields.get("date") or moment),  # RFC 7089 §2.1.1
            ("Link", f'<{entry.target}>; rel="{"original timegate" if several else "original"}"'),  # RFC 7089 §2.2
        )
    vary = (fields.get("vary") or "").lower()
    if not several or ACCEPT_DATETIME in vary or "*" in vary:
        return fields
    return fields.appending(("Vary", ACCEPT_DATETIME))  # RFC 7089 §2.1.2
