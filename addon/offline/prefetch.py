"""Prefetching: fetches one URL into the store of a pipeline, unless a fresh response is stored."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from addon.offline.modes import without_origins
from addon.offline.wanted import DIGEST_ALGORITHMS, Digest, Wanted
from addon.origin import OriginFailure
from addon.pipeline.pipeline import Pipeline
from addon.pipeline.reply import Reply
from addon.pipeline.reply_builder import ReplyBuilder
from addon.pipeline.request_key import keyed_request
from addon.runtime.counters import Counters
from cache.engine import on_request
from cache.engine.decisions import Serve
from cache.http.fields import media_type
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.reason_texts import text_of
from cache.policy.reasons import Detail, NotStored
from cache.policy.storing_remedies import remedy_of
from cache.rules.key import primary_key, request_for
from cache.rules.secrets import secrets_in
from cache.rules.selection import matching
from cache.rules.storability import reason_not_to_store
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError
from cache.stores.purge_scopes import Scope, url_name

MAX_DOCUMENT = 33_554_432
"""Maximum length in bytes of a content that is returned."""

WRONG_DIGEST = "the content does not have the digest in the lock file"


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result of a prefetch. The control command `fetch` returns it as a JSON object with these names."""

    uri: str
    status: int
    octets: int = 0
    """Length of the content in bytes."""
    was_there: bool = False
    """A fresh response was stored already, so no origin was asked."""
    problem: str = ""
    """The reason if nothing is stored, or not what was wanted; empty on success."""
    remedy: str = ""
    """If the rules say not to store the response: the change after which it is stored."""
    location: str | None = None
    """The target of a redirect."""
    media_type: str = ""
    coding: str | None = None
    """The value of Content-Encoding."""
    content: str | None = None
    """The content in base64, if it was requested."""


async def prefetch(pipeline: Pipeline, wanted: Wanted, *, read: bool = False) -> Fetched:
    """Fetch a URL into the store and return the result, with the content if `read` is true.

    Raises:
        ValueError: the URL is invalid, or the digest algorithm is unknown.
    """
    request = _request(wanted)
    entry = await _fresh_entry(pipeline, request)
    if entry and not read and _is_known_to_match(entry, wanted.digest):
        return _result(wanted, entry.head, entry.length, _error_status(entry.head), was_there=True)
    fetched = await _answered(pipeline, wanted, request, read=read)
    if fetched.problem == WRONG_DIGEST:
        await _delete(pipeline, request)
        return replace(fetched, problem=f"{WRONG_DIGEST}, so it was not kept")
    return fetched


async def find_stored(pipeline: Pipeline, wanted: Wanted, *, read: bool = False) -> Fetched:
    """Return the result of `prefetch` if the store alone can answer, also with a stale response; else a status of 404.

    No origin is asked, and nothing is changed or counted.

    Raises:
        ValueError: the URL is invalid, or the digest algorithm is unknown.
    """
    request = _request(wanted)
    candidates = await pipeline.store.candidates(_key(pipeline, request))
    decision = on_request(request, candidates, without_origins(pipeline.policy), pipeline.fetcher.clock())
    if not isinstance(decision, Serve):
        return Fetched(wanted.uri, 404, problem="another variant is stored" if candidates else "not stored")
    try:
        reply = await ReplyBuilder(pipeline.store, Counters()).copy(request, decision)
    except StoreError as error:
        return Fetched(wanted.uri, 404, problem=f"not readable: {error}")
    return await _checked(pipeline, wanted, request, reply, read=read)


def _key(pipeline: Pipeline, request: Request) -> str:
    """Return the key under which the response to a request is stored."""
    return primary_key(keyed_request(request, pipeline.policy))


def _request(wanted: Wanted) -> Request:
    """Return the request. Raises ValueError if the URL is invalid, or the digest algorithm is unknown."""
    if wanted.digest and wanted.digest.algorithm not in DIGEST_ALGORITHMS:
        names = ", ".join(DIGEST_ALGORITHMS)
        raise ValueError(f'found the digest algorithm "{wanted.digest.algorithm}", expected one of {names}')
    return request_for(wanted.uri, Fields(wanted.fields))


async def _answered(pipeline: Pipeline, wanted: Wanted, request: Request, *, read: bool) -> Fetched:
    """Return the result of the request, made as a client would make it."""
    reply = await pipeline.responder.respond(request)
    if reply.handling is None:  # an error of this proxy, described by the first line of the content
        sentence = reply.content.decode().partition("\n")[0] if isinstance(reply.content, bytes) else ""
        return _result(wanted, reply.head, 0, sentence)
    return await _checked(pipeline, wanted, request, reply, read=read)


async def _checked(pipeline: Pipeline, wanted: Wanted, request: Request, reply: Reply, *, read: bool) -> Fetched:
    """Return the result of a fetch that led to this reply."""
    received = _ReceivedContent(wanted.digest, MAX_DOCUMENT if read else 0)
    try:
        async for chunk in _chunks(reply):
            received.add(chunk)
    except (OriginFailure, StoreError) as failure:
        return _result(wanted, reply.head, received.length, f"the response is incomplete: {failure}")
    reason = None
    problem = _error_status(reply.head)
    if not problem and (reason := await _reason_not_stored(pipeline, request, reply.head, received.length)):
        problem = f"not kept: {text_of(reason).sentence}"
    # a lock file gives the digest of the file, not of a redirect to it
    if not problem and reply.head.status in (200, 203) and not received.has_expected_digest():
        problem = WRONG_DIGEST
    content = bytes(received.content) if read else None
    was_there = reply.handling is not None and reply.handling.hit
    result = _result(wanted, reply.head, received.length, problem, was_there=was_there, content=content)
    return replace(result, remedy=remedy_of(reason)) if reason else result


class _ReceivedContent:
    """Counts and hashes a content, and keeps it up to a limit in bytes."""

    def __init__(self, expected: Digest | None, limit: int) -> None:
        self.length = 0
        self.content = bytearray()
        self._limit = limit
        self._expected = expected
        self._hash = hashlib.new(expected.algorithm if expected else "sha256", usedforsecurity=False)

    def add(self, chunk: bytes) -> None:
        """Add the next bytes."""
        self.length += len(chunk)
        self._hash.update(chunk)
        if self.length <= self._limit:
            self.content += chunk

    def has_expected_digest(self) -> bool:
        """Return whether the content has the expected digest; true if none is expected."""
        return self._expected is None or self._hash.hexdigest() == self._expected.value


async def _fresh_entry(pipeline: Pipeline, request: Request) -> StoredResponse | None:
    """Return the stored response that can be used without asking the origin, or None."""
    fetcher = pipeline.fetcher
    candidates = await pipeline.store.candidates(_key(pipeline, request))
    decision = on_request(request, candidates, fetcher.policy, fetcher.clock())
    if isinstance(decision, Serve) and decision.detail in (None, Detail.HEURISTIC, Detail.RULE):
        return decision.entry
    return None


def _is_known_to_match(entry: StoredResponse, digest: Digest | None) -> bool:
    """Return whether a stored response has this digest without reading it, which is possible for SHA-256 only."""
    return digest is None or (digest.algorithm, digest.value) == ("sha256", entry.sha256)


async def _chunks(reply: Reply) -> AsyncIterator[bytes]:
    """Iterate over the content of a reply, and close it. Raises OriginFailure and StoreError."""
    if isinstance(reply.content, bytes):
        yield reply.content
        return
    try:
        async for chunk in reply.content.chunks:
            yield chunk
    finally:
        await reply.content.close()


def _error_status(head: Response) -> str:
    """Return a message for an error status; empty for other statuses."""
    return f"the origin says {head.status} {head.reason}".rstrip() if head.status >= 400 else ""


async def _reason_not_stored(pipeline: Pipeline, request: Request, head: Response, length: int) -> NotStored | None:
    """Return why a response is not in the store, or None if it is."""
    policy, now = pipeline.fetcher.policy, pipeline.fetcher.clock()
    if matching(request, await pipeline.store.candidates(_key(pipeline, request)), policy):
        return None
    # the relayed head still has the origin's cache directives, so the storage rules can be applied to it again
    reason = reason_not_to_store(request, Received(head, now, now), policy)
    if reason is None:
        unscrubbable = NotStored.UNSCRUBBABLE if secrets_in(head.fields, policy) else NotStored.STORE_FAILED
        reason = unscrubbable if await pipeline.fetcher.size_limit.allows(length) else NotStored.TOO_LARGE
    return reason


async def _delete(pipeline: Pipeline, request: Request) -> None:
    """Delete all stored responses for a request's URL. Raises StoreError."""
    await pipeline.purge([Scope(url_name(_key(pipeline, request)))])


def _result(
    wanted: Wanted,
    head: Response,
    length: int,
    problem: str,
    *,
    was_there: bool = False,
    content: bytes | None = None,
) -> Fetched:
    fields = head.fields
    if content is not None and length > MAX_DOCUMENT:
        problem, content = f"the content is longer than {MAX_DOCUMENT} bytes, too long to be read", None
    return Fetched(
        uri=wanted.uri,
        status=head.status,
        octets=length,
        was_there=was_there,
        problem=problem,
        location=fields.get("location") if head.status in (301, 302, 303, 307, 308) else None,
        media_type=media_type(fields.get("content-type")),
        coding=fields.get("content-encoding"),
        content=b64encode(content).decode() if content is not None else None,
    )
