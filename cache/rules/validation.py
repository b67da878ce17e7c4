"""Validation: the conditional request out, the 304 in, and the client's own preconditions (RFC 9111 §4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cache.http.field_table import row
from cache.http.fields import entity_tags, http_date, is_strong, opaque
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import date_of
from cache.rules.key import vary_of
from cache.rules.storability import is_personal
from cache.rules.stored_fields import dated, kept, left_out
from cache.rules.stored_response import StoredResponse

PRECONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range")

MAX_NOMINATED = 8
"""Stored variants whose validators one request may carry."""

MAX_TAGS = 16
"""Entity tags that one If-None-Match may carry, the client's own included."""


def entity_tag(entry_fields: Fields) -> str | None:
    """Return the one entity tag, octets unchanged; several or an empty one count as none (ledger PARSE-15)."""
    lines = entry_fields.all("etag")
    return lines[0] if len(lines) == 1 and lines[0] else None


def has_validator(entry: StoredResponse) -> bool:
    """Tell whether the origin can be asked if this stored response still holds."""
    # what is left of a scrubbed one is nothing that the origin could confirm
    return not entry.scrubbed and (entity_tag(entry.head.fields) is not None or "last-modified" in entry.head.fields)


def nominate(candidates: Sequence[StoredResponse], selected: StoredResponse | None) -> tuple[StoredResponse, ...]:
    """Return the stored responses to validate in one request, the selected one or else the most recent variants."""
    if selected is not None:
        return (selected,) if has_validator(selected) else ()
    tagged = [entry for entry in candidates if has_validator(entry) and entity_tag(entry.head.fields)]
    return tuple(sorted(tagged, key=lambda entry: entry.response_time, reverse=True)[:MAX_NOMINATED])


def conditional(request: Request, nominated: Sequence[StoredResponse]) -> Request:
    """Return the request that asks whether any nominated stored response still holds (RFC 9111 §4.3.1).

    The client's entity tags are kept beside ours; its other preconditions and its Range are not ours to send on.
    """
    if not nominated:
        return request
    tags = list(dict.fromkeys(tag for entry in nominated if (tag := entity_tag(entry.head.fields))))
    tags += [tag for tag in entity_tags(request.fields.get("if-none-match") or "") if tag != "*" and tag not in tags]
    fields = request.fields.without([*PRECONDITIONS, "range"])
    if tags:
        fields = fields.appending(("If-None-Match", ", ".join(tags[:MAX_TAGS])))
    modified = nominated[0].head.fields.get("last-modified")
    if len(nominated) == 1 and modified:
        fields = fields.appending(("If-Modified-Since", modified))
    return request.with_fields(fields)


def unconditional(request: Request) -> Request:
    """Return the request without any precondition."""
    return request.with_fields(request.fields.without(PRECONDITIONS))


def confirmed(nominated: Sequence[StoredResponse], sent: Request, response: Response) -> tuple[StoredResponse, ...]:
    """Return the nominated stored responses that a 304 to `sent` is about, most recent first (RFC 9111 §4.3.4)."""
    recent = sorted(nominated, key=lambda entry: entry.response_time, reverse=True)
    tag = entity_tag(response.fields)
    if tag is not None and is_strong(tag):
        return tuple(entry for entry in recent if entity_tag(entry.head.fields) == tag)
    if tag is not None:
        return tuple(entry for entry in recent if opaque(entity_tag(entry.head.fields) or "") == opaque(tag))[:1]
    # no tag in the 304: it speaks of our copy only if that was all we asked about
    if len(nominated) != 1 or len(entity_tags(sent.fields.get("if-none-match") or "")) > 1:
        return ()
    modified = response.fields.get("last-modified")
    return tuple(recent) if modified in (None, recent[0].head.fields.get("last-modified")) else ()


def freshened(entry: StoredResponse, request: Request, received: Received, policy: CachePolicy) -> StoredResponse:
    """Return a stored response as a 304, or a HEAD answer, updates it (RFC 9111 §3.2)."""
    lines = [line for line in kept(received.head.fields, policy) if row(line[0]).freshened]
    # age starts anew: what the old Age and Date said is over (RFC 9111 §4.2.3)
    lasting = entry.head.fields.without([*(name for name, _ in lines), "age", "date"])
    fields = dated(lasting.appending(*lines), received.response_time)
    head = Response(entry.head.status, entry.head.reason, fields, entry.head.version)
    # the variant now stands for what was asked this time (RFC 9111 §4.1)
    vary, personal = vary_of(request, entry.key, fields, policy), entry.personal or is_personal(request, policy)
    scrubbed = entry.scrubbed or not policy.private.secrets.isdisjoint(received.head.fields.names())
    times = received.request_time, received.response_time
    return entry.confirmed(head, *times, vary, personal=personal, scrubbed=scrubbed)


def as_answered(entry: StoredResponse, received: Received, policy: CachePolicy) -> StoredResponse:
    """Return a freshened response as whoever asked gets it, with what is not written down of the 304."""
    lines = left_out(received.head.fields, policy)
    fields = entry.head.fields.without([name for name, _ in lines]).appending(*lines)
    return replace(entry, head=replace(entry.head, fields=fields)) if lines else entry


def not_modified(request: Request, entry: StoredResponse) -> bool:
    """Tell whether the client's own precondition is answered by 304 from this stored response (RFC 9111 §4.3.2)."""
    if not 200 <= entry.head.status <= 299:  # RFC 9110 §13.2.1
        return False
    listed = request.fields.get("if-none-match")
    if listed is not None:  # RFC 9110 §13.1.3: If-Modified-Since is then ignored
        return names_entry(listed, entry)
    dates = request.fields.all("if-modified-since")
    since = http_date(dates[0], entry.response_time) if len(dates) == 1 else None
    if since is None:
        return False
    modified = http_date(entry.head.fields.get("last-modified"), entry.response_time)
    return (date_of(entry) if modified is None else modified) <= since


def names_entry(listed: str, entry: StoredResponse) -> bool:
    """Tell whether an If-None-Match list names this stored response, by weak comparison (RFC 9110 §13.1.2)."""
    if listed.strip() == "*":
        return True
    tag = entity_tag(entry.head.fields)
    if tag is None:
        return False
    return any(opaque(member) == opaque(tag) for member in entity_tags(listed)) or listed == tag


def same_representation(entry: StoredResponse, response: Response) -> bool:
    """Tell whether a HEAD answer describes what is stored (RFC 9111 §4.3.5)."""
    for name in ("etag", "last-modified"):
        if name in response.fields and response.fields.get(name) != entry.head.fields.get(name):
            return False
    length = response.fields.get("content-length")
    return length is None or length == str(entry.total)
