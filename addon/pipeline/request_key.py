"""What a request is kept under where that is not its target alone: less a signature, or with the content of a POST."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256

from addon.origin import RequestContent
from addon.pipeline.request_context import RequestContext
from cache.http.fields import media_type
from cache.http.messages import Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.private_cache import reads_by_post, without_signature

MAX_KEYED = 1_048_576
"""Octets of content that may be part of a key; a longer POST is like any other."""


async def with_cache_key(
    request: Request, context: RequestContext, policy: CachePolicy
) -> tuple[Request, RequestContext]:
    """Return a request with what it is kept under, and its content to be read from the beginning."""
    if policy.query_rules:
        request = without_signature(request, policy.query_rules)
    kind = media_type(request.fields.get("content-type"))
    if context.content is None or not reads_by_post(request, kind, policy.post_rules):
        return request, context
    if "expect" in request.fields:
        if context.interim is None:
            return request, context
        context.interim(Response(100, "Continue"))  # the content is wanted, whoever answers (RFC 9110 §10.1.1)
        request = replace(request, fields=request.fields.without(["expect"]))
    return await _with_content(request, context, context.content)


async def _with_content(
    request: Request, context: RequestContext, content: RequestContent
) -> tuple[Request, RequestContext]:
    read = bytearray()
    failure: Exception | None = None
    whole = False
    try:
        while len(read) <= MAX_KEYED:
            read += await anext(content.chunks)
    except StopAsyncIteration:
        whole = True
    except Exception as error:  # noqa: BLE001 - whatever the client's side raises is for whoever reads the content
        failure = error
    replayed = RequestContent(_replayed(bytes(read), content.chunks, failure, whole=whole), content.length)
    if whole:
        request = replace(request, content_digest=sha256(read).hexdigest())
    return request, replace(context, content=replayed)


async def _replayed(
    read: bytes, rest: AsyncIterator[bytes], failure: Exception | None, *, whole: bool
) -> AsyncIterator[bytes]:
    if read:
        yield read
    if failure:
        raise failure
    if not whole:
        async for octets in rest:
            yield octets
