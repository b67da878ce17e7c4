"""One URL fetched into the store of a service, if it is not there and fresh."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass

from addon.offline.wanted import Digest, Wanted
from addon.origin import OriginFailure
from addon.pipeline.active_pipeline import ActivePipeline
from addon.pipeline.pipeline import Pipeline
from addon.pipeline.reply import Reply
from addon.runtime.control import Handler
from cache.engine import on_request
from cache.engine.decisions import Serve
from cache.http.fields import media_type
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.reason_texts import clause
from cache.policy.reasons import Detail, NotStored
from cache.rules.key import primary_key, request_for
from cache.rules.secrets import secrets_in
from cache.rules.selection import matching
from cache.rules.storability import reason_not_to_store
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError

MAX_DOCUMENT = 33_554_432
"""Octets of content that is fetched to be read here."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of a fetch."""

    uri: str
    status: int
    octets: int = 0
    was_there: bool = False
    """It was stored and fresh, so that no origin was asked."""
    problem: str = ""
    """Why it is not in the store, or not what was wanted; empty where all is well."""
    location: str | None = None
    """Where a redirect leads."""
    media_type: str = ""
    coding: str | None = None
    content: str | None = None
    """In base64, if it was asked for."""


async def prefetch(pipeline: Pipeline, wanted: Wanted, *, read: bool = False) -> Fetched:
    """Fetch a URL into the store, and return what came of it; its content too if it is to be `read`.

    Raises:
        ValueError: it is no URL, or a digest that nobody here can compute.
    """
    request = request_for(wanted.uri, Fields(wanted.fields))
    if wanted.digest and wanted.digest.algorithm not in hashlib.algorithms_guaranteed:
        raise ValueError(f'found a digest "{wanted.digest.algorithm}", expected sha256, sha512 or the like')
    fresh = await _fresh(pipeline, request)
    if fresh and not read and _has_digest(fresh, wanted.digest):
        return _described(wanted, fresh.head, fresh.length, _fault(fresh.head), was_there=True)
    reply = await pipeline.responder.respond(request)
    if reply.handling is None:  # an error of the proxy's own, with a sentence as its content
        sentence = reply.content.decode().partition("\n")[0] if isinstance(reply.content, bytes) else ""
        return _described(wanted, reply.head, 0, sentence)
    taken = _Taken(wanted.digest, MAX_DOCUMENT if read else 0)
    try:
        async for chunk in _chunks(reply):
            taken.add(chunk)
    except (OriginFailure, StoreError) as failure:
        return _described(wanted, reply.head, taken.octets, f"it ended short: {failure}")
    problem = _fault(reply.head) or await _trouble(pipeline, request, reply.head, taken.octets)
    # a redirect is not what a lock file speaks of
    if not problem and reply.head.status in (200, 203) and not taken.is_as_said():
        await _drop(pipeline, request)
        problem = "its octets are not what the lock file says, so it was not kept"
    content = bytes(taken.content) if read else None
    return _described(wanted, reply.head, taken.octets, problem, was_there=reply.handling.hit, content=content)


class _Taken:
    """Content taken in: counted, hashed, and kept as far as it is to be read."""

    def __init__(self, digest: Digest | None, limit: int) -> None:
        self.octets = 0
        self.content = bytearray()
        self._limit = limit
        self._said = digest
        self._hash = hashlib.new(digest.algorithm if digest else "sha256", usedforsecurity=False)

    def add(self, chunk: bytes) -> None:
        """Take in octets."""
        self.octets += len(chunk)
        self._hash.update(chunk)
        if self.octets <= self._limit:
            self.content += chunk

    def is_as_said(self) -> bool:
        """Tell whether the octets have the digest that was said, if one was."""
        return self._said is None or self._hash.hexdigest() == self._said.value


async def _fresh(pipeline: Pipeline, request: Request) -> StoredResponse | None:
    """Return the stored response that needs no fetch, or None."""
    fetcher = pipeline.fetcher
    candidates = await pipeline.store.candidates(primary_key(request))
    decision = on_request(request, candidates, fetcher.policy, fetcher.clock())
    if isinstance(decision, Serve) and decision.detail in (None, Detail.HEURISTIC):
        return decision.entry
    return None


def _has_digest(entry: StoredResponse, digest: Digest | None) -> bool:
    """Tell whether what is stored is known to be right; only SHA-256 is known without reading it."""
    return digest is None or (digest.algorithm, digest.value) == ("sha256", entry.sha256)


async def _chunks(reply: Reply) -> AsyncIterator[bytes]:
    if isinstance(reply.content, bytes):
        yield reply.content
        return
    try:
        async for chunk in reply.content.chunks:
            yield chunk
    finally:
        await reply.content.close()


def _fault(head: Response) -> str:
    return f"the origin says {head.status} {head.reason}".rstrip() if head.status >= 400 else ""


async def _trouble(pipeline: Pipeline, request: Request, head: Response, octets: int) -> str:
    """Return why an answer is not in the store; empty if it is."""
    policy, now = pipeline.fetcher.policy, pipeline.fetcher.clock()
    if matching(request, await pipeline.store.candidates(primary_key(request)), policy):
        return ""
    # the answer as it was relayed says what the origin said of storing it
    reason = reason_not_to_store(request, Received(head, now, now), policy)
    if reason is None:
        unscrubbable = NotStored.UNSCRUBBABLE if secrets_in(head.fields, policy) else NotStored.STORE_FAILED
        reason = NotStored.TOO_LARGE if octets > pipeline.fetcher.max_object else unscrubbable
    return f"not kept: {clause(reason).sentence}"


async def _drop(pipeline: Pipeline, request: Request) -> None:
    key = primary_key(request)
    await pipeline.purge(lambda other: other == key, lambda: pipeline.store.sync_store.delete(key))


def _described(
    wanted: Wanted,
    head: Response,
    octets: int,
    problem: str,
    *,
    was_there: bool = False,
    content: bytes | None = None,
) -> Fetched:
    fields = head.fields
    if content is not None and octets > MAX_DOCUMENT:
        problem, content = f"it is more than {MAX_DOCUMENT} octets, too much to be read", None
    return Fetched(
        uri=wanted.uri,
        status=head.status,
        octets=octets,
        was_there=was_there,
        problem=problem,
        location=fields.get("location") if head.status in (301, 302, 303, 307, 308) else None,
        media_type=media_type(fields.get("content-type")),
        coding=fields.get("content-encoding"),
        content=b64encode(content).decode() if content is not None else None,
    )


# ---- asked over the control socket


def prefetch_handler(active: ActivePipeline) -> Handler:
    """Return what answers the control command `fetch`."""

    async def handle(arguments: Mapping[str, object]) -> dict[str, object]:
        wanted, read = wanted_from(arguments)
        return asdict(await prefetch(active.current, wanted, read=read))

    return handle


def arguments_for(wanted: Wanted, *, read: bool) -> dict[str, object]:
    """Return the arguments of the control command `fetch`."""
    return {**asdict(wanted), "read": read}


def wanted_from(arguments: Mapping[str, object]) -> tuple[Wanted, bool]:
    """Return what `arguments_for` was given. Raises ValueError."""
    match dict(arguments):
        case {"uri": str(uri), "fields": list(fields), "digest": None | dict() as digest, "read": bool(read)}:
            lines = tuple((str(name), str(value)) for name, value in fields)
            return Wanted(uri, lines, Digest(str(digest["algorithm"]), str(digest["value"])) if digest else None), read
    raise ValueError('expected "uri", "fields", "digest" and "read"')
