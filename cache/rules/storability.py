"""Storability: whether a response may be stored, and the entry that is stored (RFC 9111 §3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from cache.http.cache_control import (
    ResponseDirectives,
    is_for_all,
    is_shareable_if_authorized,
    request_directives,
)
from cache.http.field_table import row
from cache.http.fields import tokens
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import SetCookie
from cache.policy.private_cache import is_kept_although_authorized
from cache.policy.reasons import NotStored
from cache.policy.site_rules import Override
from cache.rules.credentials import has_credentials
from cache.rules.freshness import HEURISTICALLY_CACHEABLE, date_of, explicit_lifetime, lifetime_of_kind, origin_lifetime
from cache.rules.key import primary_key, request_for, storage_key, target_uri
from cache.rules.ownership import credentials_of
from cache.rules.poisoning import contradicts_extension, is_odd
from cache.rules.preflights import is_kept_preflight, is_preflight
from cache.rules.secrets import secrets_in
from cache.rules.site_responses import bypasses, directives_for, overrides
from cache.rules.stored_fields import sets_cookies, storable_fields
from cache.rules.stored_response import StoredResponse
from cache.rules.streams import is_endless
from cache.rules.tags import has_too_many, tags_of_response
from cache.rules.unkeyed_fields import ambiguous_names, folded, for_all_clients, unkeyed_input
from cache.rules.vary import nominated_fields, vary_of

UNDERSTOOD = frozenset(
    {200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 414, 451, 500, 501}
    | {502, 503, 504}
)
"""Status codes whose caching requirements this cache implements (RFC 9111 §5.2.2.3)."""

NEVER_STORED = (
    frozenset({304})
    | frozenset({407, 408, 412, 416, 417, 421, 425, 426})  # about the connection, or request parts outside the key
    | frozenset({428, 429, 431, 511})  # RFC 6585 §3 to §6
)
"""Status codes of responses that are never stored."""

KEEP_UNFRESH_STATUSES = frozenset({302, 303, 307, 401})
"""Further statuses stored with `keep_unfresh`: redirects and challenges, which an offline client needs too."""

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The position of a part: bytes `first` (inclusive) to `stop` (exclusive) of `complete` bytes."""

    first: int
    stop: int
    complete: int


def content_range(response: Response) -> ContentRange | None:
    """Return the Content-Range of a 206, or None if it is missing, malformed or inconsistent (RFC 9110 §14.4)."""
    match = _CONTENT_RANGE.fullmatch(response.fields.get("content-range") or "")
    if not match:
        return None
    first, last, complete = map(int, match.groups())
    # a part whose Content-Length contradicts its range is never combined with others
    if not first <= last < complete or response.fields.get("content-length") != str(last - first + 1):
        return None
    return ContentRange(first, last + 1, complete)


def reason_not_to_store(request: Request, received: Received, policy: CachePolicy) -> NotStored | None:
    """Return why a response must not be stored, or None if it may be stored."""
    response = received.head
    # a part of a JSON text cannot be parsed, so its secrets cannot be found
    unscrubbable = NotStored.UNSCRUBBABLE if response.status == 206 and secrets_in(response.fields, policy) else None
    if policy.storing.everything:
        return _refused_by_recording(request, response) or unscrubbable
    directives = directives_for(target_uri(request), response, policy)
    return (
        _refused_by_request(request, received, policy)
        or _refused_by_status(request, response, directives)
        or _refused_by_rule(request, response, policy)
        or _refused_by_directives(request, directives, policy)
        or _refused_by_fields(request, received, directives, policy)
        or unscrubbable
    )


def _refused_by_recording(request: Request, response: Response) -> NotStored | None:
    """Return why even a recording does not store a response, or None: no request could be answered from it."""
    is_read = request.method in ("GET", "HEAD") and not request.has_content
    if not (is_read or request.content_digest or is_preflight(request)):
        return NotStored.METHOD
    return _refused_by_status(request, response, ResponseDirectives()) or _refused_by_dictionary(response.fields)


def _refused_by_request(request: Request, received: Received, policy: CachePolicy) -> NotStored | None:
    if request.content_digest or is_kept_preflight(request, policy):
        return None
    if request.method == "POST":
        return _refused_for_later_gets(request, received, policy)
    if request.method not in ("GET", "HEAD"):
        return NotStored.METHOD
    if request.has_content:
        return NotStored.BYPASSED
    if request_directives(request.fields).no_store and not policy.private.keep_no_store:  # RFC 9111 §5.2.1.5
        return NotStored.REQUEST_NO_STORE
    return None


def _refused_for_later_gets(request: Request, received: Received, policy: CachePolicy) -> NotStored | None:
    if not _is_for_later_gets(request, received, policy):
        return NotStored.METHOD
    fields = request.fields
    is_unkeyed = unkeyed_input(fields, request.method) or for_all_clients(fields) != fields
    return NotStored.UNKEYED_INPUT if is_unkeyed else None


def _is_for_later_gets(request: Request, received: Received, policy: CachePolicy) -> bool:
    """Return whether a response to POST has its own URI in Content-Location and, from its origin, a lifetime.

    See RFC 9110 §9.3.3.
    """
    location = received.head.fields.get("content-location")
    if received.head.status != 200 or location is None or request_directives(request.fields).no_store:
        return False
    try:
        location_key = primary_key(request_for(urljoin(request.uri, location)))
    except ValueError:
        return False
    is_explicit = origin_lifetime(received.head.fields, date_of(received), policy) is not None
    return location_key == primary_key(request) and is_explicit


def _refused_by_status(request: Request, response: Response, directives: ResponseDirectives) -> NotStored | None:
    status = response.status
    if status == 206 and "range" not in request.fields:
        return NotStored.PARTIAL_UNASKED
    if status == 206 and content_range(response) is None:
        return NotStored.PARTIAL
    if not 200 <= status <= 599 or status in NEVER_STORED:
        return NotStored.STATUS
    if directives.must_understand and status not in UNDERSTOOD:  # RFC 9111 §5.2.2.3
        return NotStored.MUST_UNDERSTAND
    if status >= 400 and is_odd(request):  # ledger SEC-05
        return NotStored.ODD_REQUEST
    return None


def _refused_by_rule(request: Request, response: Response, policy: CachePolicy) -> NotStored | None:
    return NotStored.RULE if bypasses(target_uri(request), response, policy) else None


def _refused_by_directives(request: Request, directives: ResponseDirectives, policy: CachePolicy) -> NotStored | None:
    if forbidden := forbidden_by_directive(directives, policy):
        return forbidden
    if not is_authorized(request, policy) or is_shareable_if_authorized(directives):
        return None
    return None if is_kept_although_authorized(request, policy.private) else NotStored.AUTHORIZATION


def forbidden_by_directive(directives: ResponseDirectives, policy: CachePolicy) -> NotStored | None:
    """Return the directive that forbids storing a response, or None."""
    # RFC 9111 §5.2.2.5, overruled by §5.2.2.3
    if directives.no_store and not directives.must_understand and not policy.private.keep_no_store:
        return NotStored.NO_STORE
    if directives.private and not policy.private.keep_private:  # RFC 9111 §5.2.2.7
        return NotStored.PRIVATE
    return None


def is_authorized(request: Request, policy: CachePolicy) -> bool:
    """Return whether Authorization (RFC 9111 §3.5) or a certificate of ours (ledger AUTH-08) authorizes a request."""
    certificate_sent = policy.storing.client_certificate and (policy.identity.gateway or request.scheme == "https")
    return certificate_sent or "authorization" in request.fields


def is_personal(request: Request, response_fields: Fields, policy: CachePolicy) -> bool:
    """Return whether the response may be personal: it is used without validation only with a lifetime from its origin.

    See RFC 9111 §7.3. `response_fields` are as received.
    """
    # Set-Cookie is not stored, so that the stored fields do not show it
    sets_cookies_unseen = policy.storing.set_cookie is SetCookie.AUTO and sets_cookies(response_fields)
    return has_credentials(request.fields) or is_authorized(request, policy) or sets_cookies_unseen


def _refused_by_fields(
    request: Request, received: Received, directives: ResponseDirectives, policy: CachePolicy
) -> NotStored | None:
    response, fields = received.head, received.head.fields
    explicit = explicit_lifetime(fields, date_of(received), directives) is not None
    may_set_cookies = Override.SET_COOKIE in overrides(target_uri(request), response, policy)
    if sets_cookies(fields) and not (may_set_cookies or _may_store_with_cookies(received, directives, policy)):
        return NotStored.SET_COOKIE
    cacheable = HEURISTICALLY_CACHEABLE | (KEEP_UNFRESH_STATUSES if policy.private.keep_unfresh else frozenset())
    if not explicit and not directives.public and response.status not in cacheable:
        return NotStored.STATUS
    # RFC 9111 §3: do not store what can never be reused; a stream has no end
    if is_endless(response):
        return NotStored.STREAM
    usable = (
        is_preflight(request)
        or explicit
        or policy.private.keep_unfresh
        or "etag" in fields
        or "last-modified" in fields
    )
    if not usable and not lifetime_of_kind(request.uri, response, policy):
        return NotStored.NEVER_REUSABLE
    # a server may read `User_Agent` as the User-Agent that Vary names, while the stored response is for another one
    hidden = {folded(name) for name in ambiguous_names(request.fields)}
    if hidden.intersection(nominated_fields(fields) or ()):
        return NotStored.UNKEYED_INPUT
    if policy.storing.content_type_match and contradicts_extension(request, response):
        return NotStored.CONTENT_TYPE
    if has_too_many(fields, policy):
        return NotStored.TOO_MANY_TAGS
    return _refused_by_dictionary(fields)


def _may_store_with_cookies(received: Received, directives: ResponseDirectives, policy: CachePolicy) -> bool:
    """Return whether a response that sets cookies may be stored. The lifetime of a rule does not allow it."""
    match policy.storing.set_cookie:
        case SetCookie.AUTO:
            return is_for_all(directives)
        case SetCookie.STORE:
            return origin_lifetime(received.head.fields, date_of(received), policy) is not None
        case SetCookie.STRIP:
            return True
        case SetCookie.BYPASS:
            return False


def _refused_by_dictionary(fields: Fields) -> NotStored | None:
    if "content-encoding" not in fields:
        return None
    coded = {"dcb", "dcz"} & set(tokens(fields.get("content-encoding")))
    nominated = {"accept-encoding", "available-dictionary"} <= set(tokens(fields.get("vary")))
    return NotStored.DICTIONARY_VARY if coded and not nominated else None  # RFC 9842 §6.2


def new_entry(request: Request, received: Received, policy: CachePolicy, entry_id: str) -> StoredResponse:
    """Return the entry that stores the response of this exchange. Its body is not known yet."""
    head, fields = received.head, storable_fields(received, policy)
    part = content_range(head) if head.status == 206 else None
    if part:  # RFC 9111 §3.3: store it as a part of a 200
        head = Response(200, "OK", version=head.version)
        of_part = [name for name, _ in fields if row(name).whole]  # digests of this content, which is a part
        fields = fields.without(["content-range", "content-length", *of_part])
    key = storage_key(request, fields, policy)
    target = target_uri(request)  # the parameters removed from the key, like signatures, are not stored
    stored_head = Response(head.status, head.reason, fields, head.version)
    return StoredResponse(
        id=entry_id,
        key=key,
        method=request.method,
        target=target,
        head=stored_head,
        request_time=received.request_time,
        response_time=received.response_time,
        stored_at=received.response_time,
        vary=(*credentials_of(request, fields, received, policy), *vary_of(request, key, fields, policy)),
        first=part.first if part else 0,
        complete_length=part.complete if part else None,
        personal=is_personal(request, head.fields, policy),
        scrubbed=not policy.private.secrets.isdisjoint(head.fields.names()),
        clock=policy.freshness.clock,
        tags=tags_of_response(target, stored_head, policy),
    )
