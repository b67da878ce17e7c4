"""Requests that a rule of their site refuses until their password is checked."""

from __future__ import annotations

from collections.abc import Callable

from addon.frontend.gateway.gates import TOO_MANY_PASSWORDS
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
    authorization = refused.request.fields.get("authorization") or ""
    while (auth := refused.refusal.unchecked) is not None:
        if not await sites.gates.passwords.check(auth.users_file, authorization):
            raise RefusedRequest(TOO_MANY_PASSWORDS, refused.request, refused.head)
        try:
            return read()
        except RefusedRequest as still:  # another rule may ask for another password
            refused = still
    raise refused
