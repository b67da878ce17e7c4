"""Requests that a rule of their site refuses until their password is checked."""

from __future__ import annotations

from collections.abc import Callable

from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.request_head import RefusedRequest
from cache.http.messages import Request


async def admitted(refused: RefusedRequest, sites: Sites, read: Callable[[], Request]) -> Request:
    """Return the request after all, if its password proves right.

    Args:
        refused: The request, as it was refused.
        sites: The sites of the edge.
        read: Reads its head again. Raises RefusedRequest.

    Raises:
        RefusedRequest: it stays refused.
    """
    auth = refused.refusal.unchecked
    if auth is None:
        raise refused
    await sites.gates.passwords.check(auth.users_file, refused.request.fields.get("authorization") or "")
    return read()
