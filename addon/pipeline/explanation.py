"""Explains the response that a request would get now, for people and as JSON."""

from __future__ import annotations

from addon.pipeline.not_stored_log import NotStoredNote
from addon.pipeline.request_key import keyed_request
from addon.pipeline.stored_json import described_line
from cache.engine.explain import Explanation, explain
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reason_texts import text_of
from cache.policy.storing_remedies import remedy_of
from cache.rules.key import keys, primary_key
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore


def stored_for(store: ResponseStore, key: str, policy: CachePolicy) -> tuple[StoredResponse, ...]:
    """Return all stored responses for the URL with this cache key. Raises StoreError."""
    return tuple(entry for each in keys(key, policy) for entry in store.candidates(each))


def explain_from(store: ResponseStore, request: Request, policy: CachePolicy, now: float) -> Explanation:
    """Explain the decision about a request at `now`, in seconds since the epoch. Raises StoreError."""
    request = keyed_request(request, policy)
    return explain(request, stored_for(store, primary_key(request), policy), policy, now)


def explanation_rows(explanation: Explanation) -> list[tuple[str, str, str]]:
    """Return the steps of an explanation as rows of a table: what it is about, what was found, and by which clause.

    If the origin is asked, the last row says what is sent if it does not answer.
    """
    rows = [(step.subject, step.finding, step.source) for step in explanation.steps]
    return [*rows, ("no answer", explanation.if_no_answer, "")] if explanation.if_no_answer else rows


def described(explanation: Explanation, note: NotStoredNote | None = None, now: float = 0.0) -> dict[str, object]:
    """Return an explanation as JSON has it.

    Args:
        explanation: The explanation.
        note: The last response to such a request, if it was not stored.
        now: The time, in seconds since the epoch.
    """
    head = explanation.head
    return {
        "decision": explanation.decision,
        "reason": explanation.reason,
        "steps": [
            {"subject": step.subject, "finding": step.finding, "source": step.source} for step in explanation.steps
        ],
        "would_send": {"status": head.status, "reason": head.reason, "fields": list(map(list, head.fields))}
        if head
        else None,
        "cache_status": explanation.cache_status,
        "if_no_answer": explanation.if_no_answer,
        "not_stored": described_note(note, now) if note else None,
        "time_line": described_line(explanation.time_line) if explanation.time_line else None,
    }


def described_note(note: NotStoredNote, now: float) -> dict[str, object]:
    """Return a note as JSON has it; `now` is the time, in seconds since the epoch."""
    reason = note.reason
    text = text_of(reason)
    return {
        "reason": str(reason),
        "sentence": text.sentence,
        "source": text.source,
        "remedy": remedy_of(reason),
        "fetched_at": note.at,
        "seconds_ago": max(0, int(now - note.at)),
        "status": note.status,
    }


def last_fetch(not_stored: object) -> str:
    """Return a sentence about the last response, which was not stored, by the `not_stored` of a description."""
    if not isinstance(not_stored, dict):
        return ""
    clause = not_stored["sentence"] if not_stored["source"] == "ours" else not_stored["source"]
    return (
        f"last fetched {not_stored['seconds_ago']} s ago, not stored: {not_stored['reason']} ({clause}); "
        f"this would change it: {not_stored['remedy']}"
    )
