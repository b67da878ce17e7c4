"""The engine: pure functions that decide about a request, a response of the origin, or a failure to get one.

`on_request` returns Serve, Validate, Forward or Refuse. After Validate and Forward, the caller sends the request and
passes the result to `on_response` or `on_failure`; their decisions also contain the changes of the store. All times
are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import replace

from cache.answer.cache_status import Handling
from cache.answer.compose import from_copy
from cache.engine.on_request import background_validation, forward_after_damage, on_request
from cache.engine.on_response import (
    on_failure,
    on_response,
    response_from_parts,
    status_of_failure,
    without_copies,
    without_storing,
)
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import time_to_live
from cache.rules.key import request_for
from cache.rules.stored_response import StoredResponse

__all__ = [
    "background_validation",
    "forward_after_damage",
    "on_failure",
    "on_request",
    "on_response",
    "preview",
    "response_from_parts",
    "status_of_failure",
    "without_copies",
    "without_storing",
]


def preview(entry: StoredResponse, policy: CachePolicy, now: float) -> Response:
    """Return the head of the response to a GET for this stored response, or for just the range of a stored part."""
    request = request_for(entry.target)
    if entry.complete_length is not None:
        stored_range = ("Range", f"bytes={entry.first}-{entry.first + entry.length - 1}")
        request = replace(request, fields=Fields((stored_range,)))
    handling = Handling(hit=True, ttl=time_to_live(entry, policy, now))
    return from_copy(request, entry, handling, policy, now).head
