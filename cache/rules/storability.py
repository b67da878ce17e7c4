"""May this response be stored, and as what (RFC 9111 §3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from cache.http.cache_control import (
    ResponseDirectives,
    request_directives,
    response_directives,
    shareable_although_authorized,
)
from cache.http.fields import media_type, tokens
from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.private_cache import is_kept_although_authorized
from cache.policy.reasons import NotStored
from cache.policy.rules import SetCookie
from cache.rules.freshness import HEURISTICALLY_CACHEABLE, date_of, explicit_lifetime, lifetime_of_kind
from cache.rules.key import key_of_uri, primary_key, storage_key, vary_of
from cache.rules.poisoning import contradicts_its_name, is_odd
from cache.rules.secrets import secrets_in
from cache.rules.stored_fields import COOKIES, storable_fields
from cache.rules.stored_response import StoredResponse

UNDERSTOOD = frozenset(
    {200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 410, 414, 451, 500, 501}
    | {502, 503, 504}
)
"""Status codes whose caching requirements are implemented here (RFC 9111 §5.2.2.3)."""

NEVER_STORED = (
    frozenset({304})
    | frozenset({407, 408, 412, 416, 417, 421, 425, 426})  # about the connection, or request parts outside the key
    | frozenset({428, 429, 431, 511})  # RFC 6585 §3 to §6
)


WORTH_KEEPING = frozenset({302, 303, 307, 401})
"""What a client without a network needs to be told again, beside what may be kept anyway: where to go, whom to ask."""

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Where a part lies: octets `first` (inclusive) to `stop` (exclusive) of `complete`."""

    first: int
    stop: int
    complete: int


def content_range(response: Response) -> ContentRange | None:
    """Return where the content of a 206 lies, or None unless it says so without contradiction (RFC 9110 §14.4)."""
    match = _CONTENT_RANGE.fullmatch(response.fields.get("content-range") or "")
    if not match:
        return None
    first, last, complete = map(int, match.groups())
    # what is framed as another size than it claims is never joined with anything
    if not first <= last < complete or response.fields.get("content-length") != str(last - first + 1):
        return None
    return ContentRange(first, last + 1, complete)


def reason_not_to_store(request: Request, received: Received, policy: CachePolicy) -> NotStored | None:
    """Return why a response must not be stored, or None if it may be."""
    response = received.head
    # a part of JSON cannot be read, so nobody knows what is in it (decision D41)
    unscrubbable = NotStored.UNSCRUBBABLE if response.status == 206 and secrets_in(response.fields, policy) else None
    if policy.storing.everything:
        return _refused_by_recording(request, response) or unscrubbable
    directives = response_directives(response.fields, policy.targeted_fields)
    return (
        _refused_by_request(request, received, directives, policy)
        or _refused_by_status(request, response, directives)
        or _refused_by_directives(request, directives, policy)
        or _refused_by_fields(request, received, directives, policy)
        or unscrubbable
    )


def _refused_by_recording(request: Request, response: Response) -> NotStored | None:
    """Return why not even a recording keeps a response: no request could be answered from it."""
    if not request.content_digest and (request.method not in ("GET", "HEAD") or request.has_content):
        return NotStored.METHOD
    return _refused_by_status(request, response, ResponseDirectives()) or _refused_by_dictionary(response.fields)


def _refused_by_request(
    request: Request, received: Received, directives: ResponseDirectives, policy: CachePolicy
) -> NotStored | None:
    if request.content_digest:
        return None
    if request.method == "POST":
        return None if _is_for_later_gets(request, received, directives) else NotStored.METHOD
    if request.method not in ("GET", "HEAD"):
        return NotStored.METHOD
    if request.has_content:
        return NotStored.BYPASSED
    if request_directives(request.fields).no_store and not policy.private.keep_no_store:  # RFC 9111 §5.2.1.5
        return NotStored.REQUEST_NO_STORE
    return None


def _is_for_later_gets(request: Request, received: Received, directives: ResponseDirectives) -> bool:
    """Tell whether an answer to POST says to be what a GET would have brought, and for how long (RFC 9110 §9.3.3)."""
    location = received.head.fields.get("content-location")
    if received.head.status != 200 or location is None or request_directives(request.fields).no_store:
        return False
    try:
        named = key_of_uri(urljoin(request.uri, location))
    except ValueError:
        return False
    explicit = explicit_lifetime(received.head.fields, date_of(received), directives)
    return named == primary_key(request) and explicit is not None


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


def _refused_by_directives(request: Request, directives: ResponseDirectives, policy: CachePolicy) -> NotStored | None:
    if forbidden := forbidden_to_keep(directives, policy):
        return forbidden
    if not is_authorized(request, policy) or shareable_although_authorized(directives):
        return None
    return None if is_kept_although_authorized(request, policy.private) else NotStored.AUTHORIZATION


def forbidden_to_keep(directives: ResponseDirectives, policy: CachePolicy) -> NotStored | None:
    """Return which directive forbids to keep a response, or None."""
    # RFC 9111 §5.2.2.5, overruled by §5.2.2.3
    if directives.no_store and not directives.must_understand and not policy.private.keep_no_store:
        return NotStored.NO_STORE
    if directives.private and not policy.private.keep_private:  # RFC 9111 §5.2.2.7
        return NotStored.PRIVATE
    return None


def is_authorized(request: Request, policy: CachePolicy) -> bool:
    """Tell whether what an origin says to this request may be for its sender alone (RFC 9111 §3.5; ledger AUTH-08)."""
    shown = policy.storing.client_certificate and (policy.identity.gateway or request.scheme == "https")
    return shown or "authorization" in request.fields


def is_personal(request: Request, policy: CachePolicy) -> bool:
    """Tell whether nothing may be guessed about an answer to this request (RFC 9111 §7.3)."""
    return "cookie" in request.fields or is_authorized(request, policy)


def _refused_by_fields(
    request: Request, received: Received, directives: ResponseDirectives, policy: CachePolicy
) -> NotStored | None:
    response, fields = received.head, received.head.fields
    explicit = explicit_lifetime(fields, date_of(received), directives) is not None
    if not COOKIES.isdisjoint(fields.names()):
        if policy.storing.set_cookie is SetCookie.BYPASS:
            return NotStored.SET_COOKIE
        if policy.storing.set_cookie is SetCookie.STORE and not explicit:
            return NotStored.SET_COOKIE
    cacheable = HEURISTICALLY_CACHEABLE | (WORTH_KEEPING if policy.private.keep_unfresh else frozenset())
    if not explicit and not directives.public and response.status not in cacheable:
        return NotStored.STATUS
    # RFC 9111 §3: what could never be reused is not worth keeping
    if media_type(fields.get("content-type")) == "text/event-stream":
        return NotStored.STREAM
    usable = explicit or policy.private.keep_unfresh or "etag" in fields or "last-modified" in fields
    if not usable and not lifetime_of_kind(request.uri, response, policy):
        return NotStored.NEVER_REUSABLE
    if policy.storing.content_type_match and contradicts_its_name(request, response):
        return NotStored.CONTENT_TYPE
    return _refused_by_dictionary(fields)


def _refused_by_dictionary(fields: Fields) -> NotStored | None:
    if "content-encoding" not in fields:
        return None
    coded = {"dcb", "dcz"} & set(tokens(fields.get("content-encoding")))
    named = {"accept-encoding", "available-dictionary"} <= set(tokens(fields.get("vary")))
    return NotStored.DICTIONARY_VARY if coded and not named else None  # RFC 9842 §6.2


def new_entry(request: Request, received: Received, policy: CachePolicy, entry_id: str) -> StoredResponse:
    """Return the stored response that this exchange makes; its body is yet to come."""
    head, fields = received.head, storable_fields(received, policy)
    place = content_range(head) if head.status == 206 else None
    if place:  # RFC 9111 §3.3: a part of a 200
        head = Response(200, "OK", version=head.version)
        fields = fields.without(["content-range", "content-length"])
    key = storage_key(request, fields, policy)
    return StoredResponse(
        id=entry_id,
        key=key,
        method=request.method,
        # a signature that the key does without is not written down
        target=replace(request, target=request.keyed_as).uri if request.keyed_as else request.uri,
        head=Response(head.status, head.reason, fields, head.version),
        request_time=received.request_time,
        response_time=received.response_time,
        stored_at=received.response_time,
        vary=vary_of(request, key, fields, policy),
        first=place.first if place else 0,
        complete_length=place.complete if place else None,
        personal=is_personal(request, policy),
        scrubbed=not policy.private.secrets.isdisjoint(head.fields.names()),
    )
