"""The decisions: what to do with a request, with a response, with a failure. Pure functions of their arguments.

`on_request` says Serve, Validate, Forward or Refuse. What was sent forward comes back to `on_response` or
`on_failure`, whose results also say what changes in the store. All times are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import replace

from cache.answer.cache_status import Handling
from cache.answer.compose import from_copy
from cache.engine.on_request import forward_unread, on_request
from cache.engine.on_response import completed, on_failure, on_response, status_of_failure, without_copies
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import time_to_live
from cache.rules.key import request_for
from cache.rules.stored_response import StoredResponse

__all__ = [
    "completed",
    "forward_unread",
    "on_failure",
    "on_request",
    "on_response",
    "preview",
    "status_of_failure",
    "without_copies",
]


def preview(entry: StoredResponse, policy: CachePolicy, now: float) -> Response:
    """Return the head that a plain GET would get from this stored response, or a request for just that part."""
    request = request_for(entry.target)
    if entry.complete_length is not None:
        asked = ("Range", f"bytes={entry.first}-{entry.first + entry.length - 1}")
        request = replace(request, fields=Fields((asked,)))
    handling = Handling(hit=True, ttl=time_to_live(entry, policy, now))
    return from_copy(request, entry, handling, policy, now).head
