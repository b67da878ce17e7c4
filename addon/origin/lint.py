"""Checks the caching fields of an origin's response: our own checks, and httplint's notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from cache.http.cache_control import ResponseDirectives, malformed_members, response_directives
from cache.http.fields import http_date, members, tokens, unquoted
from cache.http.messages import Fields, Received, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import HEURISTICALLY_CACHEABLE, date_of, explicit_lifetime

if TYPE_CHECKING:
    from httplint import HttpResponseLinter


class Level(StrEnum):
    """The severity of a finding, worst first. The values are httplint's."""

    BAD = "bad"
    """A requirement is violated, or a value cannot be parsed."""
    WARNING = "warning"
    """Allowed, but probably not intended."""
    INFO = "info"
    GOOD = "good"


class Flaw(StrEnum):
    """The errors that our own checks find."""

    CODING_NOT_IN_VARY = "coding-not-in-vary"
    CONTENT_CUT_SHORT = "content-cut-short"
    CONTENT_IN_204 = "content-in-204"
    CONTENT_IN_205 = "content-in-205"
    CONTRADICTION = "contradiction"
    DATE_UNREADABLE = "date-unreadable"
    EXPIRES_UNREADABLE = "expires-unreadable"
    MALFORMED_MEMBER = "malformed-member"
    MUST_UNDERSTAND_ALONE = "must-understand-alone"
    NEVER_REUSABLE = "never-reusable"
    PARTIAL_UNASKED = "partial-unasked"
    SET_COOKIE_WITHOUT_LIFETIME = "set-cookie-without-lifetime"
    SPACE_BESIDE_EQUALS = "space-beside-equals"
    STALE_USE_FORBIDDEN = "stale-use-forbidden"
    UNCOMPRESSED_WITH_VIA = "uncompressed-with-via"
    UNEXPECTED_304 = "unexpected-304"
    VARY_STAR = "vary-star"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about a response."""

    name: str
    """The value of the `Flaw`, or the name of httplint's note."""
    level: Level
    subject: str
    """The lower-case names of the fields it is about; `message` if it is about the whole response."""
    sentence: str
    source: str
    """The section of the RFC, or `httplint`."""


_MEANINGS: dict[Flaw, tuple[Level, str, str, str]] = {
    Flaw.CODING_NOT_IN_VARY: (Level.WARNING, "vary", "coded, but Vary lacks Accept-Encoding", "RFC 9110 §12.5.5"),
    Flaw.CONTENT_CUT_SHORT: (Level.BAD, "message", "the content is incomplete", "RFC 9112 §8"),
    Flaw.CONTENT_IN_204: (Level.BAD, "message", "a 204 that announces content", "RFC 9110 §15.3.5"),
    Flaw.CONTENT_IN_205: (Level.BAD, "message", "a 205 that has content", "RFC 9110 §15.3.6"),
    Flaw.CONTRADICTION: (Level.BAD, "cache-control", "a directive twice, with different values", "RFC 9111 §4.2.1"),
    Flaw.DATE_UNREADABLE: (Level.BAD, "date", "not a date: age counts from receipt", "RFC 9110 §5.6.7"),
    Flaw.EXPIRES_UNREADABLE: (Level.BAD, "expires", "not a date: it counts as the past", "RFC 9111 §5.3"),
    Flaw.MALFORMED_MEMBER: (Level.BAD, "cache-control", "not a directive: it can only restrict", "RFC 9111 §5.2"),
    Flaw.MUST_UNDERSTAND_ALONE: (Level.WARNING, "cache-control", "must-understand lacks no-store", "RFC 9111 §5.2.2.3"),
    Flaw.NEVER_REUSABLE: (Level.WARNING, "message", "no lifetime and no validator: never reusable", "RFC 9111 §3"),
    Flaw.PARTIAL_UNASKED: (Level.BAD, "message", "a 206 to a request without Range", "RFC 9110 §15.3.7"),
    Flaw.SET_COOKIE_WITHOUT_LIFETIME: (Level.WARNING, "set-cookie", "cookies, no explicit lifetime", "RFC 9111 §7.3"),
    Flaw.SPACE_BESIDE_EQUALS: (Level.BAD, "cache-control", "space beside `=`: the value is ignored", "RFC 9111 §5.2"),
    Flaw.STALE_USE_FORBIDDEN: (Level.WARNING, "cache-control", "stale use allowed and forbidden", "RFC 9111 §4.2.4"),
    Flaw.UNCOMPRESSED_WITH_VIA: (
        Level.WARNING,
        "content-encoding",
        'compressed, but not for a request with Via: set "gzip_proxied any" in its nginx, or origin.via = "off" here',
        "RFC 9110 §7.6.3",
    ),
    Flaw.UNEXPECTED_304: (Level.BAD, "message", "a 304 to a request that was not conditional", "RFC 9110 §15.4.5"),
    Flaw.VARY_STAR: (Level.WARNING, "vary", "`*`: no later request ever matches", "RFC 9111 §4.1"),
}

_HTTPLINT_EQUIVALENTS = {
    Flaw.CONTENT_IN_205: "CONTENT_NOT_ALLOWED",
    Flaw.DATE_UNREADABLE: "BAD_DATE_SYNTAX",
    Flaw.EXPIRES_UNREADABLE: "BAD_DATE_SYNTAX",
    Flaw.PARTIAL_UNASKED: "PARTIAL_NOT_REQUESTED",
    Flaw.VARY_STAR: "VARY_ASTERISK",
}
"""httplint's note for the same error. It is left out if our check found the error in the same field."""


@dataclass(frozen=True, slots=True)
class CheckedResponse:
    """The response to check, and what is known about it."""

    received: Received
    request: Request | None = None
    """The request, or None if it is unknown, as for a stored response."""
    content: bytes = b""
    """The part of the content that was read."""
    whole: bool = False
    """`content` is complete."""
    cut_short: bool = False
    """The origin closed the connection before the content was complete."""
    refuses_via: bool = False
    """The origin compresses it for a request without Via only."""


def findings(examined: CheckedResponse, policy: CachePolicy, *, everything: bool = False) -> list[Finding]:
    """Return the findings about a response, the worst first.

    Args:
        examined: The response.
        policy: It decides which targeted fields count, and whether s-maxage forbids stale use.
        everything: Include httplint's notes that do not concern caching.
    """
    ours = own_findings(examined, policy)
    duplicates = {(_HTTPLINT_EQUIVALENTS.get(Flaw(finding.name)), finding.subject) for finding in ours}
    notes = [note for note in _notes(examined, everything=everything) if (note.name, note.subject) not in duplicates]
    # httplint may repeat a note for each line of a field
    return sorted(dict.fromkeys([*ours, *notes]), key=lambda finding: list(Level).index(finding.level))


# ---- our own checks


def own_findings(examined: CheckedResponse, policy: CachePolicy) -> list[Finding]:
    """Return the findings of our own checks, which need no other package and take little time."""
    malformed = _malformed_members(examined.received.head.fields.get("cache-control") or "")
    return [*(Finding(flaw, *_MEANINGS[flaw]) for flaw in _flaws(examined, policy)), *malformed]


def _flaws(examined: CheckedResponse, policy: CachePolicy) -> Iterator[Flaw]:
    directives = response_directives(examined.received.head.fields, policy.targeted_fields)
    yield from _flaws_of_message(examined)
    yield from _flaws_of_fields(examined)
    yield from _flaws_of_directives(directives, policy)
    if not directives.no_store or directives.must_understand:  # otherwise the origin does not want it to be reused
        yield from _flaws_of_reuse(examined.received, directives)


def _flaws_of_message(examined: CheckedResponse) -> Iterator[Flaw]:
    status, fields = examined.received.head.status, examined.received.head.fields
    announced = any(length.strip("0") for length in fields.all("content-length"))
    if status == 204 and (announced or "transfer-encoding" in fields):  # RFC 9112 §6.1: not even an empty chunk
        yield Flaw.CONTENT_IN_204
    if status == 205 and (announced or examined.content):
        yield Flaw.CONTENT_IN_205
    if examined.cut_short:
        yield Flaw.CONTENT_CUT_SHORT
    if examined.refuses_via:
        yield Flaw.UNCOMPRESSED_WITH_VIA
    if examined.request is None:
        return
    request_fields = examined.request.fields
    if status == 206 and "range" not in request_fields:
        yield Flaw.PARTIAL_UNASKED
    conditional = "if-none-match" in request_fields or "if-modified-since" in request_fields
    if status == 304 and not conditional:
        yield Flaw.UNEXPECTED_304


def _flaws_of_fields(examined: CheckedResponse) -> Iterator[Flaw]:
    fields, now = examined.received.head.fields, examined.received.response_time
    for name, flaw in (("date", Flaw.DATE_UNREADABLE), ("expires", Flaw.EXPIRES_UNREADABLE)):
        if name in fields and http_date(fields.get(name), now) is None:
            yield flaw
    vary = set(tokens(fields.get("vary")))
    if "*" in vary:
        yield Flaw.VARY_STAR
    negotiated = examined.request is not None and "accept-encoding" in examined.request.fields
    if negotiated and "content-encoding" in fields and vary.isdisjoint({"*", "accept-encoding"}):
        yield Flaw.CODING_NOT_IN_VARY
    yield from _flaws_of_arguments(fields.get("cache-control") or "")


MAX_SHOWN = 60
"""Characters of a malformed member that a finding shows."""

_SPACED_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_SECONDS = ("max-age", "s-maxage", "stale-while-revalidate", "stale-if-error")


def _flaws_of_arguments(cache_control: str) -> Iterator[Flaw]:
    arguments: dict[str, set[str]] = {}
    for member in members(cache_control):
        name, equals, argument = member.partition("=")
        if equals and (name != name.rstrip() or argument != argument.lstrip()):
            yield Flaw.SPACE_BESIDE_EQUALS
        value = argument.strip()
        arguments.setdefault(name.strip().lower(), set()).add(unquoted(value) or value)
    if any(len(arguments.get(name, ())) > 1 for name in _SECONDS):
        yield Flaw.CONTRADICTION


def _malformed_members(cache_control: str) -> Iterator[Finding]:
    level, subject, sentence, source = _MEANINGS[Flaw.MALFORMED_MEMBER]
    # White space beside the equals sign is a finding of its own
    for member in malformed_members(_SPACED_EQUALS.sub("=", cache_control)):
        shown = member if len(member) <= MAX_SHOWN else f"{member[:MAX_SHOWN]}..."
        yield Finding(Flaw.MALFORMED_MEMBER, level, subject, f"`{shown}` is {sentence}", source)


def _flaws_of_directives(directives: ResponseDirectives, policy: CachePolicy) -> Iterator[Flaw]:
    if directives.must_understand and not directives.no_store:
        yield Flaw.MUST_UNDERSTAND_ALONE
    # RFC 9111 §5.2.2.10: s-maxage has the force of proxy-revalidate
    shared = directives.proxy_revalidate or (
        directives.s_maxage is not None and not policy.freshness.s_maxage_allows_stale
    )
    forbidden = directives.no_cache or directives.must_revalidate or shared
    if forbidden and (directives.stale_while_revalidate or directives.stale_if_error):
        yield Flaw.STALE_USE_FORBIDDEN


def _flaws_of_reuse(received: Received, directives: ResponseDirectives) -> Iterator[Flaw]:
    head = received.head
    if explicit_lifetime(head.fields, date_of(received), directives) is not None:
        return
    if head.status in HEURISTICALLY_CACHEABLE and "etag" not in head.fields and "last-modified" not in head.fields:
        yield Flaw.NEVER_REUSABLE
    if "set-cookie" in head.fields and not directives.private:
        yield Flaw.SET_COOKIE_WITHOUT_LIFETIME


# ---- httplint's notes

_CATEGORIES = {"CACHING", "VALIDATION", "CONNEG", "RANGE"}
# notes of httplint's categories "general" and "connection" that concern caching or framing
_SUBJECTS = frozenset("age cache-groups content-length date etag last-modified pragma transfer-encoding vary".split())
_NAMES = {"CONTENT_NOT_ALLOWED", "DATE_CLOCKLESS", "HEADER_SHOULD_NOT_BE_IN_304", "PARTIAL_WITHOUT_RANGE"}


def _notes(examined: CheckedResponse, *, everything: bool) -> Iterator[Finding]:
    for note in _linted(examined).notes:
        subject, name = _subject(note.subject, examined.received.head.fields), type(note).__name__
        concerns = note.category.name in _CATEGORIES or name in _NAMES or not _SUBJECTS.isdisjoint(subject.split(", "))
        if everything or concerns:
            yield Finding(name, Level(note.level.value), subject, note.summary, "httplint")


def _subject(subject: str, fields: Fields) -> str:
    """Return the field names of httplint's subject: `offset-1` (a line number) or `field-date field-age`."""
    if subject.startswith("offset-"):
        return fields.lines[int(subject.removeprefix("offset-"))][0].lower()
    return ", ".join(part.removeprefix("field-") for part in subject.split()) or "message"


def _linted(examined: CheckedResponse) -> HttpResponseLinter:
    from httplint import HttpRequestLinter, HttpResponseLinter  # a slow import (0.3 s), needed by this command only

    received, head = examined.received, examined.received.head
    linter = HttpResponseLinter(start_time=received.response_time, no_content=not examined.whole)
    if examined.request:
        request = HttpRequestLinter(start_time=received.request_time)
        request.process_request_topline(examined.request.method.encode(), examined.request.target.encode(), b"1.1")
        request.process_headers(_encoded(examined.request.fields))
        linter.request, linter.base_uri = request, examined.request.uri
    version = head.version.removeprefix("HTTP/")
    linter.process_response_topline(version.encode(), str(head.status).encode(), head.reason.encode("latin-1"))
    linter.process_headers(_encoded(head.fields))
    linter.feed_content(examined.content)
    linter.finish_content(examined.whole)
    return linter


def _encoded(fields: Fields) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
