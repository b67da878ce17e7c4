"""Secrets taken out of a recording: fields of heads, and members of JSON. What is left is another representation."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from addon.codings import CodingError, uncoded
from addon.recordings.exchange import Exchange, Intake, Limits, exchanges, whole_content
from addon.recordings.shelf import UNLIMITED, RecordingError, Shelf
from addon.recordings.switch import recording_policy
from cache.fields import media_type
from cache.messages import Fields
from cache.policy import CachePolicy

SCRUBBED = "scrubbed"
"""What stands where a secret stood in JSON."""

MAX_JSON = 268_435_456
"""Octets of JSON, which is read in one piece."""

# what names or describes octets that are no longer the same
_DESCRIBING = frozenset(
    "accept-ranges content-digest content-encoding content-length content-md5 digest etag last-modified repr-digest"
    " signature signature-input".split()
)


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What was taken out."""

    responses: int
    """How many differ from before."""
    places: int
    """Field lines and members of JSON."""


def scrub(shelf: Shelf, name: str, names: frozenset[str], policy: CachePolicy) -> Scrubbed:
    """Write a recording anew without fields and members of these names; no octet of the old one is left.

    Raises:
        RecordingError: a JSON content cannot be read, so nobody knows what is in it; then nothing has changed.
        StoreError: the recording cannot be read or written; then nothing has changed.
    """
    wanted = frozenset(each.lower() for each in names)
    responses = places = 0
    with shelf.opened(name) as old, shelf.made(name, instead=True) as new:
        intake = Intake(new, recording_policy(policy, name), Limits(UNLIMITED, UNLIMITED))
        for exchange in exchanges(old):
            changed, count = _scrubbed(exchange, wanted)
            intake.take(changed)
            responses, places = responses + bool(count), places + count
    return Scrubbed(responses, places)


def _scrubbed(exchange: Exchange, names: frozenset[str]) -> tuple[Exchange, int]:
    """Return an exchange without what bears one of the names, and how often that was found."""
    head = exchange.received.head
    taken = sum(name.lower() in names for name, _ in head.fields)
    fields = head.fields.without(names)
    content, count = _content(exchange, names)
    changed = replace(exchange, received=replace(exchange.received, head=replace(head, fields=fields)))
    if content is not None:
        changed = _with_content(changed, content)
    if taken + count:
        changed = replace(changed, scrubbed=True)
    return changed, taken + count


def _with_content(exchange: Exchange, content: bytes) -> Exchange:
    fields: Fields = exchange.received.head.fields.without(_DESCRIBING)
    head = replace(exchange.received.head, fields=fields.appending(("Content-Length", str(len(content)))))
    received = replace(exchange.received, head=head)
    return replace(exchange, received=received, content=lambda: iter([content]), length=len(content), sha256="")


def _content(exchange: Exchange, names: frozenset[str]) -> tuple[bytes | None, int]:
    """Return the content without the members of these names, or None where it has none of them."""
    fields = exchange.received.head.fields
    kind = media_type(fields.get("content-type"))
    if exchange.length == 0 or not (kind == "application/json" or kind.endswith("+json")):
        return None, 0
    if exchange.received.head.status == 206 or (exchange.length or 0) > MAX_JSON:
        raise RecordingError(f"{exchange.place}: a part of JSON, or too much of it, cannot be scrubbed")
    try:
        value = json.loads(uncoded(whole_content(exchange), fields.get("content-encoding"), MAX_JSON))
        count = _scrub_value(value, names)
    except (CodingError, ValueError, RecursionError) as error:
        raise RecordingError(f"{exchange.place}: says it is JSON and cannot be read: {error}") from None
    return (json.dumps(value, ensure_ascii=False).encode(), count) if count else (None, 0)


def _scrub_value(value: object, names: frozenset[str]) -> int:
    """Replace in place what stands under one of the names, at whatever depth; return how often."""
    if isinstance(value, list):
        return sum(_scrub_value(each, names) for each in value)
    if not isinstance(value, dict):
        return 0
    count = 0
    for name, member in value.items():
        if name.lower() in names:
            value[name] = SCRUBBED
            count += 1
        else:
            count += _scrub_value(member, names)
    return count
