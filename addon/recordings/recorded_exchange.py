"""A recorded exchange: one request with its response, independent of any file format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from uuid import uuid4

from addon.recordings.library import RecordingError
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reason_texts import text_of
from cache.rules.key import content_digest_of, request_for
from cache.rules.storability import new_entry, reason_not_to_store
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import NEVER_MATCHES
from cache.stores.base import ResponseStore, StoreError
from cache.stores.codec import CodecError

CHUNK = 65_536
"""Bytes that are read at a time."""


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """A response, and the parts of its request that select it."""

    source: str
    """The source of the exchange, for error messages: a position in a file, or a URL."""
    request: Request
    received: Received
    """The origin's head as received; a partial response is a 206."""
    content: Callable[[], Iterator[bytes]]
    """Returns the content, from the beginning at each call. Raises RecordingError and StoreError."""
    length: int | None = None
    """Length of the content in bytes; None if not known in advance."""
    sha256: str = ""
    """Digest of the content in hexadecimal; empty if not known in advance."""
    scrubbed: bool = False
    """Secrets were removed from the response."""


@dataclass(frozen=True, slots=True)
class SkippedExchange:
    """Something in a file that a recording cannot hold, and the reason."""

    place: str
    """Its position in the file."""
    why: str


def exchanges(store: ResponseStore) -> Iterator[RecordedExchange]:
    """Iterate over all exchanges in a store, oldest first; their heads are in memory. Raises StoreError."""
    for entry in sorted(store.entries(), key=lambda entry: (entry.request_time, entry.key)):
        yield exchange_of(entry, store)


def exchange_of(entry: StoredResponse, store: ResponseStore) -> RecordedExchange:
    """Return a stored response with its content and a request that selects it."""
    vary = () if entry.vary == NEVER_MATCHES else entry.vary
    request_fields = tuple((name, value) for name, value in vary if value is not None)
    head = entry.head
    if entry.complete_length is not None:  # RFC 9110 §15.3.7
        last = entry.first + entry.length - 1
        request_fields = (*request_fields, ("Range", f"bytes={entry.first}-{last}"))
        content_range = ("Content-Range", f"bytes {entry.first}-{last}/{entry.complete_length}")
        fields = head.fields.appending(content_range).replacing("Content-Length", str(entry.length))
        head = Response(206, "Partial Content", fields, head.version)
    request = request_for(entry.target, Fields(request_fields))
    request = replace(request, method=entry.method, content_digest=content_digest_of(entry.key))

    def content() -> Iterator[bytes]:
        with closing(store.open(entry)) as body:
            for start in range(0, body.length, CHUNK):
                yield body.read(start, min(start + CHUNK, body.length))

    return RecordedExchange(
        source=entry.target,
        request=request,
        received=Received(head, entry.request_time, entry.response_time),
        content=content,
        length=entry.length,
        sha256=entry.sha256,
        scrubbed=entry.scrubbed,
    )


def whole_content(exchange: RecordedExchange) -> bytes:
    """Return the whole content of an exchange. Raises RecordingError and StoreError."""
    return b"".join(exchange.content())


@dataclass(frozen=True, slots=True)
class Limits:
    """Size limits of an import."""

    per_content: int
    """Maximum length of one content in bytes."""
    total: int
    """Maximum length of all contents together in bytes."""


class ExchangeWriter:
    """Writes exchanges into the store of a new recording."""

    def __init__(self, store: ResponseStore, policy: CachePolicy, limits: Limits) -> None:
        """Store what the policy of the recording allows to store."""
        self._store = store
        # the file holds its secrets in the clear already, so they are not scrubbed here
        self._policy = replace(policy, private=replace(policy.private, secrets=frozenset()))
        self._limits = limits
        self._total = 0
        self.written = 0
        """The number of exchanges written so far."""

    def write(self, exchange: RecordedExchange) -> SkippedExchange | None:
        """Store an exchange and return None, or return why a recording cannot hold it.

        Raises:
            RecordingError: it exceeds the limits, does not match its declared length or digest, or is malformed.
        """
        if reason := reason_not_to_store(exchange.request, exchange.received, self._policy):
            return SkippedExchange(exchange.source, text_of(reason).sentence)
        entry = new_entry(exchange.request, exchange.received, self._policy, uuid4().hex)
        writer = self._store.writer()
        try:
            length = 0
            for chunk in exchange.content():
                length += len(chunk)
                self._total += len(chunk)
                self._check_limits(exchange.source, length)
                writer.write(chunk)
            stored = writer.commit(replace(entry, scrubbed=exchange.scrubbed))
        except RecordingError:
            raise
        except (StoreError, CodecError) as error:
            raise RecordingError(f"{exchange.source}: {error}") from error
        finally:
            writer.abort()
        if exchange.sha256 not in ("", stored.sha256) or exchange.length not in (None, stored.length):
            raise RecordingError(f"{exchange.source}: the content does not match its declared length or digest")
        self.written += 1
        return None

    def _check_limits(self, source: str, length: int) -> None:
        per_content, total = self._limits.per_content, self._limits.total
        if length > per_content:
            raise RecordingError(f"{source}: the content is longer than {per_content} bytes (store.max_object)")
        if self._total > total:
            raise RecordingError(f"{source}: all contents together are longer than {total} bytes (store.max_size)")
