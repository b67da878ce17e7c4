"""What recordings are exchanged as: one request with its response, in no file's format yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from uuid import uuid4

from addon.recordings.library import RecordingError
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reason_texts import clause
from cache.rules.key import content_digest_of, request_for
from cache.rules.storability import new_entry, reason_not_to_store
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import NEVER_MATCHES
from cache.stores.base import ResponseStore, StoreError
from cache.stores.codec import CodecError

CHUNK = 65_536
"""Octets that are read at a time."""


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """A request as far as it decides over the response, and the response."""

    place: str
    """Where it stands, for people: the entry of a file, a URL."""
    request: Request
    received: Received
    """The origin's head as it came, a part as a 206."""
    content: Callable[[], Iterator[bytes]]
    """Gives the octets, from the beginning each time. Raises RecordingError and StoreError."""
    length: int | None = None
    """Octets of the content, where that is known beforehand."""
    sha256: str = ""
    """Of the content, in hexadecimal, where that is known beforehand."""
    scrubbed: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in a file that a recording cannot hold, and why."""

    place: str
    why: str


def exchanges(store: ResponseStore) -> Iterator[RecordedExchange]:
    """Iterate over what a store holds, by URL. Raises StoreError."""
    for entry in store.entries():
        yield exchange_of(entry, store)


def exchange_of(entry: StoredResponse, store: ResponseStore) -> RecordedExchange:
    """Return a stored response with its octets and what is known of its request."""
    known = () if entry.vary == NEVER_MATCHES else entry.vary
    lines = tuple((name, value) for name, value in known if value is not None)
    head = entry.head
    if entry.complete_length is not None:  # RFC 9110 §15.3.7
        last = entry.first + entry.length - 1
        lines = (*lines, ("Range", f"bytes={entry.first}-{last}"))
        told = ("Content-Range", f"bytes {entry.first}-{last}/{entry.complete_length}")
        fields = head.fields.appending(told).replacing("Content-Length", str(entry.length))
        head = Response(206, "Partial Content", fields, head.version)
    digest = content_digest_of(entry.key)
    request = replace(request_for(entry.target, Fields(lines)), method=entry.method, content_digest=digest)
    received = Received(head, entry.request_time, entry.response_time)

    def content() -> Iterator[bytes]:
        with closing(store.open(entry)) as body:
            for start in range(0, body.length, CHUNK):
                yield body.read(start, min(start + CHUNK, body.length))

    return RecordedExchange(entry.target, request, received, content, entry.length, entry.sha256, entry.scrubbed)


def whole_content(exchange: RecordedExchange) -> bytes:
    """Return all octets of an exchange."""
    return b"".join(exchange.content())


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an import may bring."""

    member: int
    """Octets of one content."""
    total: int
    """Octets of all contents."""


class Intake:
    """Takes exchanges into a store that recordings are made of."""

    def __init__(self, store: ResponseStore, policy: CachePolicy, limits: Limits) -> None:
        """Go by a recording's policy."""
        self._store = store
        # what comes from a file is written down already, its secrets too
        self._policy = replace(policy, private=replace(policy.private, secrets=frozenset()))
        self._limits = limits
        self._octets = 0
        self.kept = 0

    def take(self, exchange: RecordedExchange) -> LeftOut | None:
        """Store an exchange, or return why a recording cannot hold it.

        Raises:
            RecordingError: it is longer than allowed, not what it says it is, or malformed.
        """
        if reason := reason_not_to_store(exchange.request, exchange.received, self._policy):
            return LeftOut(exchange.place, clause(reason).sentence)
        entry = new_entry(exchange.request, exchange.received, self._policy, uuid4().hex)
        writer = self._store.writer()
        try:
            length = 0
            for chunk in exchange.content():
                length += len(chunk)
                self._octets += len(chunk)
                self._check(exchange.place, length)
                writer.write(chunk)
            stored = writer.commit(replace(entry, scrubbed=exchange.scrubbed))
        except RecordingError:
            raise
        except (StoreError, CodecError) as error:
            raise RecordingError(f"{exchange.place}: {error}") from error
        finally:
            writer.abort()
        if exchange.sha256 not in ("", stored.sha256) or exchange.length not in (None, stored.length):
            raise RecordingError(f"{exchange.place}: the content has another length or digest than is said of it")
        self.kept += 1
        return None

    def _check(self, place: str, length: int) -> None:
        if length > self._limits.member:
            raise RecordingError(f"{place}: the content is more than {self._limits.member} octets (store.max_object)")
        if self._octets > self._limits.total:
            raise RecordingError(f"{place}: all contents are more than {self._limits.total} octets (store.max_size)")
