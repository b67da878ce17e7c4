"""Removes secrets from a recording: fields, and the values of JSON members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

from addon.pipeline.scrubbing_writer import ScrubbingError, scrub_json
from addon.recordings.library import UNLIMITED, RecordingError, RecordingLibrary
from addon.recordings.recorded_exchange import ExchangeWriter, Limits, RecordedExchange, exchange_of, whole_content
from cache.http.fields import members
from cache.http.messages import Fields
from cache.policy.cache_policy import CachePolicy
from cache.policy.recordings import recording_policy
from cache.rules.secrets import is_json, scrubbed_head
from cache.stores.base import ResponseStore

MAX_JSON = 268_435_456
"""Maximum length in bytes of JSON content, which is read as a whole."""


@dataclass(frozen=True, slots=True)
class ScrubResult:
    """The changes that scrubbing made, in numbers."""

    responses: int
    """Changed responses."""
    places: int
    """Removed field lines of responses and of the requests that select them, and replaced JSON values."""
    merged: int
    """Dropped responses: without the removed request fields, a later response answers the same requests."""


def scrub(library: RecordingLibrary, name: str, names: frozenset[str], policy: CachePolicy) -> ScrubResult:
    """Rewrite a recording without the fields and JSON values of these names; all old files are deleted.

    Raises:
        RecordingError: a JSON content cannot be read, so it may hold a secret; then nothing has changed.
        StoreError: the recording cannot be read or written; then nothing has changed.
    """
    secret_names = frozenset(each.lower() for each in names)
    responses = places = 0
    with library.opened(name) as old, library.create(name, replace=True) as new:
        writer = ExchangeWriter(new, recording_policy(policy, name), Limits(UNLIMITED, UNLIMITED))
        for exchange in _oldest_first(old):
            scrubbed, count = _scrubbed(exchange, secret_names)
            if skipped := writer.write(scrubbed):
                raise RecordingError(f"{skipped.place}: cannot be scrubbed: {skipped.why}")
            responses, places = responses + bool(count), places + count
        merged = writer.written - new.statistics().entries
    return ScrubResult(responses, places, merged)


def _oldest_first(store: ResponseStore) -> Iterator[RecordedExchange]:
    """Iterate by URL, the latest response of each URL last.

    If scrubbing makes several responses match the same requests, the last one written replaces the others.
    """
    for _, variants in groupby(store.entries(), attrgetter("key")):
        for entry in reversed(list(variants)):
            yield exchange_of(entry, store)


def _scrubbed(exchange: RecordedExchange, names: frozenset[str]) -> tuple[RecordedExchange, int]:
    """Return an exchange without fields and JSON values of these names, and how many there were."""
    changed, request_fields = _without_request_fields(exchange, names)
    head = changed.received.head
    response_fields = sum(name.lower() in names for name, _ in head.fields)
    head = replace(head, fields=head.fields.without(names))
    content, values = _scrubbed_content(exchange, names)
    if content is not None:
        head = scrubbed_head(head, len(content))
        changed = replace(changed, content=lambda: iter([content]), length=len(content), sha256="")
    count = request_fields + response_fields + values
    changed = replace(changed, received=replace(changed.received, head=head))
    return replace(changed, scrubbed=exchange.scrubbed or bool(count)), count


def _without_request_fields(exchange: RecordedExchange, names: frozenset[str]) -> tuple[RecordedExchange, int]:
    """Remove fields of these names from the request and from Vary; return the exchange and how many there were.

    The response then answers requests with any value of these fields, as it does for credentials.
    """
    head, request_fields = exchange.received.head, exchange.request.fields
    vary = members(head.fields.get("vary") or "")
    removed = [name for name in vary if name.lower() in names and name in request_fields]
    if not removed:
        return exchange, 0
    kept = [name for name in vary if name not in removed]
    fields = head.fields.replacing("Vary", ", ".join(kept)) if kept else head.fields.without(["vary"])
    received = replace(exchange.received, head=replace(head, fields=fields))
    request = exchange.request.with_fields(request_fields.without(removed))
    return replace(exchange, request=request, received=received), len(removed)


def _scrubbed_content(exchange: RecordedExchange, names: frozenset[str]) -> tuple[bytes | None, int]:
    """Return the content without JSON values of these names and how many there were; None and 0 without any."""
    fields: Fields = exchange.received.head.fields
    if exchange.length == 0 or not is_json(fields):
        return None, 0
    if exchange.received.head.status == 206 or (exchange.length or 0) > MAX_JSON:
        raise RecordingError(f"{exchange.source}: JSON that is partial or too long cannot be scrubbed")
    try:
        scrubbed = scrub_json(whole_content(exchange), fields.get("content-encoding"), names, MAX_JSON)
    except ScrubbingError as error:
        raise RecordingError(f"{exchange.source}: {error}") from None
    return scrubbed or (None, 0)
