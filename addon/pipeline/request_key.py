"""Cache keys that differ from the URL: a signature removed, or the digest of a POST's content added."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256

from addon.origin import BrokenRequestBody, RequestContent
from addon.pipeline.content_digest import ContentDigest
from addon.pipeline.request_context import RequestContext
from cache.http.fields import media_type
from cache.http.messages import Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.private_cache import is_reading_post, without_dropped_parameters
from cache.rules.preflights import is_preflight
from cache.rules.site_requests import changed_request, effects_of

MAX_KEYED = 1_048_576
"""Bytes of content that may become part of a key; a longer POST is not stored."""


def keyed_request(request: Request, policy: CachePolicy) -> Request:
    """Return a request as a client sends it with what its key is made of: the rules of its site are applied."""
    changed = changed_request(request, effects_of(request, policy))
    return without_dropped_parameters(changed, policy.keying.query_rules)


async def with_cache_key(
    request: Request, context: RequestContext, policy: CachePolicy
) -> tuple[Request, RequestContext]:
    """Return the request with its cache key set, and its context with the content to be read from the beginning."""
    if policy.keying.query_rules:
        request = without_dropped_parameters(request, policy.keying.query_rules)
    if policy.storing.everything:
        return request, await _recorded(request, context)
    kind = media_type(request.fields.get("content-type"))
    if context.content is None or not is_reading_post(request, kind, policy.keying.post_rules):
        return request, context
    if "expect" in request.fields:
        if context.interim is None:
            return request, context
        # the key needs the content, so the client is told to send it (RFC 9110 §10.1.1)
        context.interim(Response(100, "Continue"))
        request = replace(request, fields=request.fields.without(["expect"]))
    if policy.recording:
        return await _replay_request(request, context, context.content)
    return await _with_content(request, context, context.content)


async def _recorded(request: Request, context: RequestContext) -> RequestContext:
    """Return the context of a request whose response is recorded under the digest of its content, whatever its method.

    The replay of a method that does more than read is another matter: a rule decides about that.
    """
    if (request.method in ("GET", "HEAD") and not request.has_content) or is_preflight(request):
        return context
    digest = ContentDigest(context.content)
    content = digest.passing()
    if content is not None and context.fetch is not None:  # the front end sends content that it has in memory
        held = b"".join([chunk async for chunk in content.chunks])
        content = RequestContent(_replayed(held, content.chunks, None, whole=True), content.length)
    return replace(context, content=content, digest=digest)


async def _replay_request(
    request: Request, context: RequestContext, content: RequestContent
) -> tuple[Request, RequestContext]:
    """Return a request to a replay with the digest of its content, which has any length and goes nowhere."""
    digest = ContentDigest(content)
    try:
        async for _ in digest.chunks(content):
            pass
    except BrokenRequestBody:
        return request, context
    return replace(request, content_digest=digest.value), replace(context, content=None)


async def _with_content(
    request: Request, context: RequestContext, content: RequestContent
) -> tuple[Request, RequestContext]:
    read = bytearray()
    failure: BrokenRequestBody | None = None
    whole = False
    try:
        while len(read) <= MAX_KEYED:
            read += await anext(content.chunks)
    except StopAsyncIteration:
        whole = True
    except BrokenRequestBody as error:  # raised again when the content is read
        failure = error
    replayed = RequestContent(_replayed(bytes(read), content.chunks, failure, whole=whole), content.length)
    if whole:
        request = replace(request, content_digest=sha256(read).hexdigest())
    return request, replace(context, content=replayed)


async def _replayed(
    read: bytes, rest: AsyncIterator[bytes], failure: BrokenRequestBody | None, *, whole: bool
) -> AsyncIterator[bytes]:
    if read:
        yield read
    if failure:
        raise failure
    if not whole:
        async for chunk in rest:
            yield chunk
