"""What was asked for and missing while no origin was asked: a file beside the store, to be fetched later."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from fcntl import LOCK_EX, flock
from pathlib import Path

from addon.offline.wanted import Wanted
from cache.http.messages import Fields, Request

MOST = 1000
"""Requests that are kept; beyond it what is missing is not noted."""

KEPT_FIELDS = frozenset({"accept", "accept-encoding", "accept-language"})
"""Request fields that choose among variants and tell nothing secret."""


def wanted_by(request: Request) -> Wanted | None:
    """Return what a request that found nothing is kept as; None for one that must not be repeated by us."""
    if request.keyed_as:
        return None  # its signature is not written down, and will be over by then
    if request.method != "GET" or not request.fields.names().isdisjoint({"authorization", "cookie", "range"}):
        return None
    fields = tuple(line for line in request.fields if line[0].lower() in KEPT_FIELDS)
    return Wanted(request.uri, fields)


def is_answered(status: int) -> bool:
    """Tell whether a status is an origin's last word, so that asking again would bring nothing else."""
    return 200 <= status < 500


class MissQueue:
    """Requests to be made later, each once, oldest first. Safe to use from several processes."""

    def __init__(self, store: Path) -> None:
        self._file = store / "queue.jsonl"

    def add(self, wanted: Wanted) -> bool:
        """Put one at the end; tell whether it is in the queue now. Raises OSError."""
        with self._changing() as queue:
            if wanted not in queue and len(queue) < MOST:
                queue.append(wanted)
            return wanted in queue

    def all(self) -> list[Wanted]:
        """Return them. Raises OSError."""
        try:
            return list(_read(self._file.read_bytes()))
        except FileNotFoundError:
            return []

    def remove(self, done: Iterable[Wanted]) -> None:
        """Take some out. Raises OSError."""
        gone = set(done)
        if not gone:
            return
        with self._changing() as queue:
            queue[:] = [each for each in queue if each not in gone]

    @contextmanager
    def _changing(self) -> Iterator[list[Wanted]]:
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            flock(file, LOCK_EX)
            before = list(_read(file.read()))
            queue = list(before)
            yield queue
            if queue != before:
                file.seek(0)
                file.write(b"".join(json.dumps(asdict(each)).encode() + b"\n" for each in queue))
                file.truncate()


def _read(octets: bytes) -> Iterator[Wanted]:
    """Iterate over what the file holds; lines that make no sense are left out."""
    for line in octets.splitlines():
        try:
            said = json.loads(line)
            fields = Fields(tuple((str(name), str(value)) for name, value in said["fields"]))
            yield Wanted(str(said["uri"]), fields.lines)
        except (ValueError, TypeError, KeyError, RecursionError):
            continue
