"""CORS preflights: the OPTIONS requests of browsers before requests to other sites (Fetch §3.2.2).

No cache answers OPTIONS (RFC 9110 §9.3.7). But a page that runs without a network needs its preflights answered: one
user's cache keeps them for use while the origin is not asked, and a recording keeps them for its replay.
"""

from __future__ import annotations

from cache.http.messages import Request
from cache.policy.cache_policy import CachePolicy

PREFLIGHT_FIELDS = (
    "access-control-request-headers",
    "access-control-request-method",
    "access-control-request-private-network",
    "origin",
)
"""Lower-case names of the request fields on which the response to a preflight depends, with or without Vary."""


def is_preflight(request: Request) -> bool:
    """Return whether a request is a CORS preflight."""
    if request.method != "OPTIONS" or request.has_content:
        return False
    return "origin" in request.fields and "access-control-request-method" in request.fields


def is_kept_preflight(request: Request, policy: CachePolicy) -> bool:
    """Return whether a request is a preflight, and the responses to preflights are kept."""
    return (policy.private.keep_preflights or policy.recording is not None) and is_preflight(request)
