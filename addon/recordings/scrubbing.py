"""Secrets taken out of a recording: fields, and members of JSON. What is left is another representation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

from addon.pipeline.scrubbing_writer import Unscrubbable, left_of
from addon.recordings.library import UNLIMITED, RecordingError, RecordingLibrary
from addon.recordings.recorded_exchange import Intake, Limits, RecordedExchange, exchange_of, whole_content
from cache.http.fields import members
from cache.http.messages import Fields
from cache.policy.cache_policy import CachePolicy
from cache.policy.recordings import recording_policy
from cache.rules.secrets import is_json, other_content
from cache.stores.base import ResponseStore

MAX_JSON = 268_435_456
"""Octets of JSON, which is read in one piece."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What was taken out."""

    responses: int
    """How many differ from before."""
    places: int
    """Field lines, of responses and of what their requests are told apart by, and members of JSON."""
    merged: int
    """Responses that are gone: they differed from a later one in nothing but the requests' fields taken out."""


def scrub(library: RecordingLibrary, name: str, names: frozenset[str], policy: CachePolicy) -> Scrubbed:
    """Write a recording anew without fields and members of these names; no octet of the old one is left.

    Raises:
        RecordingError: a JSON content cannot be read, so nobody knows what is in it; then nothing has changed.
        StoreError: the recording cannot be read or written; then nothing has changed.
    """
    wanted = frozenset(each.lower() for each in names)
    responses = places = 0
    with library.opened(name) as old, library.made(name, instead=True) as new:
        intake = Intake(new, recording_policy(policy, name), Limits(UNLIMITED, UNLIMITED))
        for exchange in _oldest_first(old):
            changed, count = _scrubbed(exchange, wanted)
            if left_out := intake.take(changed):
                raise RecordingError(f"{left_out.place}: cannot be scrubbed: {left_out.why}")
            responses, places = responses + bool(count), places + count
        merged = intake.kept - new.statistics().entries
    return Scrubbed(responses, places, merged)


def _oldest_first(store: ResponseStore) -> Iterator[RecordedExchange]:
    """Iterate by URL, the latest of each last: it stays where nothing tells it from another any more."""
    for _, variants in groupby(store.entries(), attrgetter("key")):
        for entry in reversed(list(variants)):
            yield exchange_of(entry, store)


def _scrubbed(exchange: RecordedExchange, names: frozenset[str]) -> tuple[RecordedExchange, int]:
    """Return an exchange without what bears one of the names, and how often that was found."""
    changed, asked = _asked_without(exchange, names)
    head = changed.received.head
    taken = sum(name.lower() in names for name, _ in head.fields)
    head = replace(head, fields=head.fields.without(names))
    content, count = _content(exchange, names)
    if content is not None:
        head = other_content(head, len(content))
        changed = replace(changed, content=lambda: iter([content]), length=len(content), sha256="")
    places = asked + taken + count
    changed = replace(changed, received=replace(changed.received, head=head))
    return replace(changed, scrubbed=exchange.scrubbed or bool(places)), places


def _asked_without(exchange: RecordedExchange, names: frozenset[str]) -> tuple[RecordedExchange, int]:
    """Return an exchange that is told from others by no request field of these names, and how many it had.

    As with credentials, such a response is then for whoever asks: what chose it is not known any more.
    """
    head, asked = exchange.received.head, exchange.request.fields
    nominated = members(head.fields.get("vary") or "")
    secret = [name for name in nominated if name.lower() in names and name in asked]
    if not secret:
        return exchange, 0
    kept = [name for name in nominated if name not in secret]
    fields = head.fields.replacing("Vary", ", ".join(kept)) if kept else head.fields.without(["vary"])
    received = replace(exchange.received, head=replace(head, fields=fields))
    return replace(exchange, request=exchange.request.with_fields(asked.without(secret)), received=received), len(
        secret
    )


def _content(exchange: RecordedExchange, names: frozenset[str]) -> tuple[bytes | None, int]:
    """Return the content without the members of these names, or None where it has none of them."""
    fields: Fields = exchange.received.head.fields
    if exchange.length == 0 or not is_json(fields):
        return None, 0
    if exchange.received.head.status == 206 or (exchange.length or 0) > MAX_JSON:
        raise RecordingError(f"{exchange.place}: a part of JSON, or too much of it, cannot be scrubbed")
    try:
        found = left_of(whole_content(exchange), fields.get("content-encoding"), names, MAX_JSON)
    except Unscrubbable as error:
        raise RecordingError(f"{exchange.place}: {error}") from None
    return found or (None, 0)
