"""Control commands that make a running proxy fetch: any URL, or one that was missing; and the list of what still is."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict

from addon.offline.miss_queue import MissQueue, is_done
from addon.offline.modes import check_that_origins_are_asked, without_origins
from addon.offline.prefetch import prefetch
from addon.offline.wanted import Digest, Wanted
from addon.pipeline.active_pipeline import ActivePipeline
from addon.pipeline.pipeline import Pipeline
from addon.pipeline.request_key import keyed_request
from addon.runtime.control import Handler
from cache.engine import on_request
from cache.engine.decisions import Serve
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.key import primary_key, request_for
from cache.rules.stored_response import StoredResponse
from cache.stores.base import StoreError

logger = logging.getLogger(__name__)


class FetchCommands:
    """The commands `fetch`, `fetch-missing` and `still-missing`. They raise ValueError for invalid arguments."""

    def __init__(self, active: ActivePipeline, queue: MissQueue | None) -> None:
        """Fetch into the store of the active pipeline. `queue` has what was missing in the proxy's own store."""
        self._active = active
        self._queue = queue

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by the names of the commands."""
        return {"fetch": self._fetch, "fetch-missing": self._fetch_missing, "still-missing": self._still_missing}

    async def _fetch(self, arguments: Mapping[str, object]) -> dict[str, object]:
        wanted, read = _parse_arguments(arguments)
        return asdict(await prefetch(self._active.current, wanted, read=read))

    async def _fetch_missing(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Fetch a URL as the clients asked for it that missed it; it leaves the queue as by `queue run`."""
        match dict(arguments):
            case {"url": str(url), **others} if not others:
                check_that_origins_are_asked(self._active.policy)
            case _:
                raise ValueError('expected "url"')
        queue = self._queue
        try:
            queued = [each for each in await self._queued() if each.uri == url]
            for wanted in queued or [Wanted(url)]:
                fetched = await prefetch(self._active.current, wanted)
                if queue and wanted in queued and is_done(fetched.status, stored=not fetched.problem):
                    await self._active.own.store.run(queue.remove, [wanted])
                if fetched.problem:
                    break
        except (OSError, StoreError) as error:
            raise ValueError(str(error)) from error
        return {
            "url": url,
            "status": fetched.status,
            "size": fetched.octets,
            "problem": fetched.problem or None,
            "remedy": fetched.remedy or None,
        }

    async def _still_missing(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """Return the URLs that were missing, and would be so again while no origin is asked.

        The argument `urls` has those that this process and others have missed; without it, its own are used.
        """
        current, missed = self._active.current, self._missed(arguments)
        try:
            queued = await self._queued()
        except OSError as error:
            logger.warning("the miss queue cannot be read: %s", error)
            queued = []
        in_queue = {each.uri for each in queued}
        not_queued = [uri for uri in missed if uri not in in_queue]
        looked_up = await current.store.run_in_slices(_looked_up(current, queued, not_queued))
        return {"urls": list(dict.fromkeys(uri for uri, answered in looked_up if not answered))}

    def _missed(self, arguments: Mapping[str, object]) -> list[str]:
        match dict(arguments):
            case {"urls": list(urls), **others} if not others:
                return list(map(str, urls))
            case empty if not empty:
                misses = self._active.current.responder.misses
                return misses.missing if misses else []
        raise ValueError('expected "urls" or nothing')

    async def _queued(self) -> list[Wanted]:
        """Return the queue; a replay has none. Raises OSError."""
        if self._queue is None or self._active.policy.recording:
            return []
        return await self._active.own.store.run(self._queue.all)


def _looked_up(pipeline: Pipeline, queued: Iterable[Wanted], others: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Return each URL, and whether the store alone can answer it.

    `others` are not in the queue, so it is not known by which fields they were asked for: any variant counts.
    """
    offline = without_origins(pipeline.policy)
    for each in queued:
        yield each.uri, _is_answered(pipeline, each, offline)
    for uri in others:
        yield uri, bool(_found(pipeline, Wanted(uri), offline)[1])


def _is_answered(pipeline: Pipeline, wanted: Wanted, policy: CachePolicy) -> bool:
    request, candidates = _found(pipeline, wanted, policy)
    return request is not None and isinstance(on_request(request, candidates, policy, pipeline.fetcher.clock()), Serve)


def _found(
    pipeline: Pipeline, wanted: Wanted, policy: CachePolicy
) -> tuple[Request | None, tuple[StoredResponse, ...]]:
    """Return the request, unless it is invalid, and the stored responses for its URL."""
    try:
        request = request_for(wanted.uri, Fields(wanted.fields))
    except ValueError:  # a line of the queue that was edited by hand, or a target that is no URL
        return None, ()
    try:
        return request, pipeline.store.sync_store.candidates(primary_key(keyed_request(request, policy)))
    except StoreError:  # it cannot answer now
        return request, ()


def arguments_for(wanted: Wanted, *, read: bool) -> dict[str, object]:
    """Return the arguments of the command `fetch`. With `read`, its result includes the content."""
    return {**asdict(wanted), "read": read}


def _parse_arguments(arguments: Mapping[str, object]) -> tuple[Wanted, bool]:
    """Return the parameters that `arguments_for` was called with. Raises ValueError."""
    match dict(arguments):
        case {"uri": str(uri), "fields": list(fields), "digest": None | dict() as digest, "read": bool(read)}:
            lines = tuple((str(name), str(value)) for name, value in fields)
            return Wanted(uri, lines, Digest(str(digest["algorithm"]), str(digest["value"])) if digest else None), read
    raise ValueError('expected "uri", "fields", "digest" and "read"')
