"""Validation: conditional requests, the 304 responses to them, and the client's preconditions (RFC 9111 §4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cache.http.field_table import row
from cache.http.fields import entity_tags, http_date, is_strong, opaque_tag
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.clock_setting import ClockSetting
from cache.rules.coded_forms import tag_of_response
from cache.rules.content_coding import is_same_but_for_coding, may_confirm, varies_by_coding
from cache.rules.freshness import date_of
from cache.rules.ownership import with_credentials_of
from cache.rules.site_responses import directives_for
from cache.rules.storability import is_personal
from cache.rules.stored_fields import with_date, withheld_lines, without_unstorable
from cache.rules.stored_response import StoredResponse
from cache.rules.tags import tags_of_response
from cache.rules.vary import vary_of, with_class_of

PRECONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range")

MAX_VALIDATED_VARIANTS = 8
"""Maximum number of stored responses that one request validates."""

CONFIRMED_FOR = 60.0
"""Seconds after an update in which a 304 that merely confirms a stored response does not update it again."""

MAX_TAGS = 16
"""Maximum number of entity tags in one If-None-Match, those of the client included."""


def entity_tag(entry_fields: Fields) -> str | None:
    """Return the entity tag as received, or None if there is none, several, or an empty one (ledger PARSE-15)."""
    lines = entry_fields.all("etag")
    return lines[0] if len(lines) == 1 and lines[0] else None


def has_validator(entry: StoredResponse) -> bool:
    """Return whether the origin can validate this stored response."""
    # a 304 is about the original content, not about the scrubbed one
    return not entry.scrubbed and (entity_tag(entry.head.fields) is not None or "last-modified" in entry.head.fields)


def entries_to_validate(
    candidates: Sequence[StoredResponse], selected: StoredResponse | None
) -> tuple[StoredResponse, ...]:
    """Return the stored responses to validate in one request: the selected one, or the most recent variants."""
    if selected is not None:
        return (selected,) if has_validator(selected) else ()
    tagged = [entry for entry in candidates if has_validator(entry) and entity_tag(entry.head.fields)]
    return tuple(sorted(tagged, key=lambda entry: entry.response_time, reverse=True)[:MAX_VALIDATED_VARIANTS])


def conditional(request: Request, entries: Sequence[StoredResponse]) -> Request:
    """Return the request made conditional, to validate the stored responses `entries` (RFC 9111 §4.3.1).

    The entity tags of the client are kept, behind those of the entries. Its other preconditions and its Range are
    removed: they are evaluated later, with the validated response.
    """
    if not entries:
        return request
    tags = list(dict.fromkeys(tag for entry in entries if (tag := entity_tag(entry.head.fields))))
    of_client = entity_tags(request.fields.get("if-none-match") or "")
    # the origin does not know the tags of coded forms, and confirms these by the tag of their response
    tags += [tag for tag in of_client if tag != "*" and tag not in tags and tag_of_response(tag) not in tags]
    fields = request.fields.without([*PRECONDITIONS, "range"])
    if tags:
        fields = fields.appending(("If-None-Match", ", ".join(tags[:MAX_TAGS])))
    modified = entries[0].head.fields.get("last-modified")
    if len(entries) == 1 and modified:
        fields = fields.appending(("If-Modified-Since", modified))
    return request.with_fields(fields)


def unconditional(request: Request) -> Request:
    """Return the request without any precondition."""
    return request.with_fields(request.fields.without(PRECONDITIONS))


def confirmed_entries(
    entries: Sequence[StoredResponse], sent_request: Request, response: Response
) -> tuple[StoredResponse, ...]:
    """Return those of `entries` that a 304 to `sent_request` confirms, most recent first (RFC 9111 §4.3.4)."""
    named = _named_entries(entries, sent_request, response)
    return tuple(entry for entry in named if may_confirm(entry, sent_request, response.fields))


def _named_entries(
    entries: Sequence[StoredResponse], sent_request: Request, response: Response
) -> tuple[StoredResponse, ...]:
    """Return those of `entries` that a 304 names by its validators."""
    recent = sorted(entries, key=lambda entry: entry.response_time, reverse=True)
    tag = entity_tag(response.fields)
    if tag is not None and is_strong(tag):
        return tuple(entry for entry in recent if entity_tag(entry.head.fields) == tag)
    if tag is not None:
        return tuple(entry for entry in recent if opaque_tag(entity_tag(entry.head.fields) or "") == opaque_tag(tag))[
            :1
        ]
    # a 304 without a tag confirms an entry only if no other entry and no tag of the client was asked about
    if len(entries) != 1 or len(entity_tags(sent_request.fields.get("if-none-match") or "")) > 1:
        return ()
    modified = response.fields.get("last-modified")
    return tuple(recent) if modified in (None, recent[0].head.fields.get("last-modified")) else ()


def is_nearly_named(entry: StoredResponse, sent_request: Request, response: Response) -> bool:
    """Return whether a 304 confirms a stored response by the only tag that was sent, but must not update it.

    The tag that was sent matches (RFC 9110 §13.1.2), or there would be no 304; that of the 304 is a little different.
    """
    tag, entry_tag = entity_tag(response.fields), entity_tag(entry.head.fields)
    if tag is None or entry_tag is None or entity_tags(sent_request.fields.get("if-none-match") or "") != [entry_tag]:
        return False
    same = is_same_but_for_coding(tag, entry_tag, entry.head.fields)
    return same and may_confirm(entry, sent_request, response.fields)


def with_new_age(entry: StoredResponse, received: Received, clock: ClockSetting) -> StoredResponse:
    """Return a stored response with its age counted from a 304 that must not update other fields of it.

    `clock` is how the wall clock is set now.

    RFC 9111 §4.2 counts the age from the last successful validation. If the 304 has another Cache-Control, the stored
    lifetime is in doubt, so the response stays as old as it is.
    """
    news = received.head.fields
    if news.get("cache-control") not in (None, entry.head.fields.get("cache-control")):
        return entry
    timing = [line for line in news if line[0].lower() in ("age", "date")]
    fields = with_date(entry.head.fields.without(["age", "date"]).appending(*timing), received.response_time)
    times = received.request_time, received.response_time
    head = replace(entry.head, fields=fields)
    return entry.revalidated(
        head,
        *times,
        entry.vary,
        personal=entry.personal,
        scrubbed=entry.scrubbed,
        clock=clock,
        tags=entry.tags,
    )


def freshened(entry: StoredResponse, request: Request, received: Received, policy: CachePolicy) -> StoredResponse:
    """Return a stored response updated by a 304 or by a response to HEAD (RFC 9111 §3.2)."""
    lines = [line for line in without_unstorable(received.head.fields, policy) if row(line[0]).freshened]
    # the age is counted from this response, so the old Age and Date are removed (RFC 9111 §4.2.3)
    lasting = entry.head.fields.without([*(name for name, _ in lines), "age", "date"])
    fields = with_date(lasting.appending(*lines), received.response_time)
    if varies_by_coding(entry.head.fields) and not varies_by_coding(fields):
        fields = fields.appending(("Vary", "Accept-Encoding"))  # the stored coding stays, so what selects it does too
    head = Response(entry.head.status, entry.head.reason, fields, entry.head.version)
    # the origin selected this response for the new request, so store the Vary values of that (RFC 9111 §4.1)
    vary = with_class_of(entry, vary_of(request, entry.key, fields, policy), policy)
    vary = with_credentials_of(entry, vary)
    personal = entry.personal or is_personal(request, received.head.fields, policy)
    scrubbed = entry.scrubbed or not policy.private.secrets.isdisjoint(received.head.fields.names())
    times = received.request_time, received.response_time
    clock = policy.freshness.clock
    tags = tags_of_response(entry.target, head, policy)
    return entry.revalidated(head, *times, vary, personal=personal, scrubbed=scrubbed, clock=clock, tags=tags)


def confirms_only(old: StoredResponse, new: StoredResponse, policy: CachePolicy) -> bool:
    """Return whether a 304 that makes `new` of `old` changes nothing but Date, of a copy whose age has no effect.

    That is a copy which is validated before every use. It is updated once a minute. RFC 9111 §3.2 asks for each time.
    """
    if policy.private.override_offline or policy.freshness.always_fresh or policy.storing.captures > 1:
        return False  # its age or its Date may decide about its use
    if not directives_for(new.target, new.head, policy).no_cache:
        return False
    same = replace(
        new,
        head=replace(new.head, fields=old.head.fields),
        request_time=old.request_time,
        response_time=old.response_time,
        revision=old.revision,
    )
    recent = 0.0 <= new.response_time - old.response_time < CONFIRMED_FOR
    lines = [[line for line in each.head.fields if line[0].lower() != "date"] for each in (old, new)]
    return recent and same == old and lines[0] == lines[1]


def with_withheld_fields(entry: StoredResponse, received: Received, policy: CachePolicy) -> StoredResponse:
    """Return an updated response for the client of this exchange, with the fields of the 304 that are not stored."""
    lines = withheld_lines(received.head.fields, policy)
    fields = entry.head.fields.without([name for name, _ in lines]).appending(*lines)
    return replace(entry, head=replace(entry.head, fields=fields)) if lines else entry


def not_modified(request: Request, entry: StoredResponse) -> bool:
    """Return whether the client's preconditions make the response a 304 (RFC 9111 §4.3.2)."""
    if not 200 <= entry.head.status <= 299:  # RFC 9110 §13.2.1
        return False
    tags = request.fields.get("if-none-match")
    if tags is not None:  # RFC 9110 §13.1.3: If-Modified-Since is then ignored
        return matches_any_tag(tags, entry)
    dates = request.fields.all("if-modified-since")
    since = http_date(dates[0], entry.response_time) if len(dates) == 1 else None
    if since is None:
        return False
    modified = http_date(entry.head.fields.get("last-modified"), entry.response_time)
    return (date_of(entry) if modified is None else modified) <= since


def matches_any_tag(tags: str, entry: StoredResponse) -> bool:
    """Return whether If-None-Match lists the tag of this stored response, compared weakly (RFC 9110 §13.1.2)."""
    if tags.strip() == "*":
        return True
    tag = entity_tag(entry.head.fields)
    if tag is None:
        return False
    return any(opaque_tag(member) == opaque_tag(tag) for member in entity_tags(tags)) or tags == tag


def same_representation(entry: StoredResponse, response: Response) -> bool:
    """Return whether a response to HEAD describes this stored response (RFC 9111 §4.3.5)."""
    for name in ("etag", "last-modified"):
        if name in response.fields and response.fields.get(name) != entry.head.fields.get(name):
            return False
    length = response.fields.get("content-length")
    return length is None or length == str(entry.total)
