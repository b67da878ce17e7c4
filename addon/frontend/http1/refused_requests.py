"""Requests that an edge refuses or answers itself: some only until a password is checked, and purges."""

from __future__ import annotations

from collections.abc import Callable

from addon.frontend.gateway.gates import TOO_MANY_PASSWORDS
from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.request_head import MalformedRequest, RefusedRequest
from addon.pipeline.error_replies import ErrorReplies
from addon.pipeline.reply import Reply
from cache.http.messages import Request
from cache.policy.reasons import Refused


async def admitted(
    refused: RefusedRequest, sites: Sites, errors: ErrorReplies, read: Callable[[], Request]
) -> Request | Reply:
    """Return the request after all, if its password proves right, or the reply that refuses it, or to a purge.

    Args:
        refused: The request, as it was refused.
        sites: The sites of the edge.
        errors: Makes the reply.
        read: Reads its head again. Raises MalformedRequest.
    """
    if refused.reason is Refused.PURGE and sites.purge_clients is not None:
        client = refused.request.client
        address = client.address if client is not None else ""
        reply = await sites.purge_clients.answer(refused.request, address, sites.ports, errors)
        return reply or refused.reply(errors)
    try:
        return await checked(refused, sites, read)
    except MalformedRequest as fault:
        return fault.reply(errors)


async def checked(refused: RefusedRequest, sites: Sites, read: Callable[[], Request]) -> Request:
    """Return the request after all, if its password proves right. The arguments are as for `admitted`.

    Raises:
        RefusedRequest: it is still refused.
        MalformedRequest: other settings apply meanwhile, and refuse it.
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
