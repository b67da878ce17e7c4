"""Explains the response that a request would get now, from what is stored."""

from __future__ import annotations

from cache.engine.explain import Explanation, explain
from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.private_cache import without_dropped_parameters
from cache.rules.key import keys, primary_key
from cache.rules.site_requests import changed_request, effects_of
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore


def stored_for(store: ResponseStore, key: str, policy: CachePolicy) -> tuple[StoredResponse, ...]:
    """Return all stored responses for the URL with this cache key. Raises StoreError."""
    return tuple(entry for each in keys(key, policy) for entry in store.candidates(each))


def explain_from(store: ResponseStore, request: Request, policy: CachePolicy, now: float) -> Explanation:
    """Explain the decision about a request at `now`, in seconds since the epoch. Raises StoreError."""
    request = changed_request(request, effects_of(request, policy))
    request = without_dropped_parameters(request, policy.keying.query_rules)
    return explain(request, stored_for(store, primary_key(request), policy), policy, now)


def explanation_rows(explanation: Explanation) -> list[tuple[str, str, str]]:
    """Return the steps of an explanation as rows of a table: what it is about, what was found, and by which clause."""
    return [(step.subject, step.finding, step.source) for step in explanation.steps]
