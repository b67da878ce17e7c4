"""Strict-Transport-Security, by which an edge tells browsers to come by https only (RFC 6797)."""

from __future__ import annotations

from dataclasses import replace

from cache.http.messages import Request, Response
from cache.policy.cache_policy import CachePolicy

FIELD = "Strict-Transport-Security"


def with_transport_security(request: Request, head: Response, policy: CachePolicy) -> Response:
    """Return a response head with the field that the operator has set for the host, in place of the origin's."""
    table = policy.presentation.transport_security
    if table is None or request.scheme != "https":  # RFC 6797 §7.2: never over http
        return head
    value = table.find(request.host)
    return replace(head, fields=head.fields.replacing(FIELD, value)) if value else head
