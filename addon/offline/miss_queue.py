"""The miss queue: a file beside the store with requests that missed offline, to be fetched later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from addon.offline.wanted import Wanted
from addon.runtime.locked_file import locked_file, rewrite
from cache.http.messages import Fields, Request
from cache.rules.credentials import has_credentials
from cache.rules.selection import asks_for_web_socket

MAX_QUEUED = 1000
"""Maximum number of requests in the queue; further ones are not added."""

QUEUED_FIELDS = frozenset({"accept", "accept-encoding", "accept-language"})
"""Request fields that select a variant and contain no secrets. Only these are written to the queue."""


_MAY_CHANGE = frozenset({401, 403, 407, 408, 421, 425, 429})
"""Refusals that may end: with another network, after a login, or later."""


def queueable(request: Request) -> Wanted | None:
    """Return the queue entry for a request that missed; None if the proxy must not repeat the request."""
    if request.cache_target:
        return None  # a signed URL: the signature is a secret, and will have expired
    if request.method != "GET" or "range" in request.fields or has_credentials(request.fields):
        return None
    if asks_for_web_socket(request.fields):
        return None  # a page that is fetched later would not be what was asked for
    fields = tuple(line for line in request.fields if line[0].lower() in QUEUED_FIELDS)
    return Wanted(request.uri, fields)


def is_done(status: int, *, stored: bool) -> bool:
    """Return whether a request may leave the queue: its response is stored, or the origin refuses it for good."""
    return stored or (400 <= status < 500 and status not in _MAY_CHANGE)


class MissQueue:
    """Requests to repeat later, without duplicates, oldest first. Safe to use from several processes."""

    def __init__(self, store: Path) -> None:
        """Use the queue file in the directory of a store."""
        self._file = store / "queue.jsonl"

    def add(self, wanted: Wanted) -> bool:
        """Append a request if the queue has room. Return whether the queue contains it now. Raises OSError."""
        with self._changing() as queue:
            if wanted not in queue and len(queue) < MAX_QUEUED:
                queue.append(wanted)
            return wanted in queue

    def all(self) -> list[Wanted]:
        """Return all requests, oldest first. Raises OSError."""
        try:
            return list(_parse(self._file.read_bytes()))
        except FileNotFoundError:
            return []

    def remove(self, done: Iterable[Wanted]) -> None:
        """Remove requests. Raises OSError."""
        removed = set(done)
        if not removed:
            return
        with self._changing() as queue:
            queue[:] = [each for each in queue if each not in removed]

    @contextmanager
    def _changing(self) -> Iterator[list[Wanted]]:
        """Lock the file, let the caller change the list, and write it if it has changed."""
        with locked_file(self._file) as file:
            before = list(_parse(file.read()))
            queue = list(before)
            yield queue
            if queue != before:
                rewrite(file, b"".join(json.dumps(asdict(each)).encode() + b"\n" for each in queue))


def _parse(data: bytes) -> Iterator[Wanted]:
    """Iterate over the requests in a queue file, without invalid lines."""
    for line in data.splitlines():
        try:
            queued = json.loads(line)
            fields = Fields(tuple((str(name), str(value)) for name, value in queued["fields"]))
            yield Wanted(str(queued["uri"]), fields.lines)
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
