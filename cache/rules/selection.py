"""Selection of the stored response for a request, and reasons that forbid its use without the origin."""

from __future__ import annotations

from collections.abc import Sequence

from cache.http.cache_control import RequestDirectives, is_shareable_if_authorized, request_directives
from cache.http.fields import tokens
from cache.http.messages import Fields, Request, normalised_authority, normalised_host
from cache.policy.cache_policy import CachePolicy, client_reload
from cache.policy.operator_rules import ClientReload
from cache.policy.reasons import Detail, Forwarded
from cache.rules.freshness import (
    current_age,
    date_of,
    directives_of,
    freshness_lifetime,
    overrides_origin,
    reason_to_validate,
    stale_use,
)
from cache.rules.key import target_uri
from cache.rules.ownership import is_bound_to_credential
from cache.rules.preflights import is_kept_preflight
from cache.rules.ranges import Part, Unsatisfiable, requested_parts
from cache.rules.site_requests import cookie_names, effects_of, has_cookie
from cache.rules.storability import is_authorized
from cache.rules.stored_parts import combined, find_content
from cache.rules.stored_response import StoredResponse
from cache.rules.unkeyed_fields import unkeyed_input
from cache.rules.vary import matches


def reason_to_bypass(request: Request, policy: CachePolicy) -> tuple[Forwarded, Detail | None] | None:
    """Return why a request bypasses the cache, or None if a stored response may answer it."""
    fields = request.fields
    if request.method not in ("GET", "HEAD") and not request.content_digest and not is_kept_preflight(request, policy):
        return Forwarded.METHOD, None
    if is_misaddressed(request):
        return Forwarded.BYPASS, Detail.HOST_MISMATCH
    if asks_for_web_socket(fields):
        return Forwarded.BYPASS, Detail.UPGRADE
    if request.has_content and not request.content_digest:  # RFC 9110 §9.3.1: content in a GET may be request smuggling
        return Forwarded.BYPASS, Detail.CONTENT_IN_REQUEST
    if "if-match" in fields or "if-unmodified-since" in fields:  # RFC 9111 §4.3.2: only the origin evaluates them
        return Forwarded.BYPASS, Detail.PRECONDITION
    if unkeyed_input(fields, request.method):  # ledger SEC-04; in edge mode these fields were removed before
        return Forwarded.BYPASS, Detail.UNKEYED_INPUT
    effects = effects_of(request, policy)
    if effects.bypass:
        return Forwarded.BYPASS, Detail.BYPASS_RULE
    if effects.bypass_cookies and has_cookie(fields, effects.bypass_cookies):
        return Forwarded.BYPASS, Detail.BYPASS_COOKIE
    if policy.requests.bypass_cookies and policy.requests.bypass_cookies & cookie_names(fields):
        return Forwarded.BYPASS, Detail.BYPASS_COOKIE
    if request_directives(fields).no_store and not (policy.network.offline or policy.storing.everything):
        return Forwarded.REQUEST, Detail.REQUEST_NO_STORE
    return None


def asks_for_web_socket(fields: Fields) -> bool:
    """Return whether Upgrade asks for WebSocket; an offer of any other protocol is ignored (RFC 9110 §7.8)."""
    return "websocket" in tokens(fields.get("upgrade"))


def is_misaddressed(request: Request) -> bool:
    """Return whether Host or the TLS server name differs from the target of the request (ledger KEY-07)."""
    if "host" not in request.fields and request.tls_name is None:
        return False
    authorities = [normalised_authority(host, request.scheme) for host in request.fields.all("host")]
    names_another = authorities not in ([], [request.authority])
    return names_another or normalised_host(request.tls_name or request.host) != request.host


def covers(request: Request, entry: StoredResponse) -> bool:
    """Return whether every byte that the response needs is stored (RFC 9111 §3.3)."""
    if entry.complete_length is None:
        return True
    parts = requested_parts(request, entry)
    if isinstance(parts, Unsatisfiable):
        return True
    return all(find_content(entry, part.start, part.stop) for part in parts or (Part(0, entry.total),))


def matching(request: Request, candidates: Sequence[StoredResponse], policy: CachePolicy) -> tuple[StoredResponse, ...]:
    """Return the stored responses that match a request, best first (RFC 9111 §4, §4.1)."""
    fitting = [entry for entry in candidates if _has_method(entry, request) and matches(entry, request, policy)]
    whole = [entry for entry in fitting if entry.complete_length is None]
    # RFC 9111 §3.3: parts are used only if no complete response matches; one to HEAD has no content
    has_content = any(entry.method != "HEAD" for entry in whole)
    parts = () if has_content else combined(entry for entry in fitting if entry.complete_length is not None)
    return tuple(sorted((*whole, *parts), key=lambda entry: _precedence(request, entry, policy), reverse=True))


def _has_method(entry: StoredResponse, request: Request) -> bool:
    """Return whether a stored response may answer the method of a request (RFC 9111 §4)."""
    if request.method == "OPTIONS" or request.content_digest:
        return entry.method == request.method
    return entry.method in ("GET", "POST") or entry.method == request.method == "HEAD"


def is_head_of_part(request: Request, entry: StoredResponse) -> bool:
    """Return whether a HEAD would be answered from the head of a part, which is done only without the origin.

    A cache does not answer from an incomplete response (RFC 9111 §3.3), and a 206 may lack fields of the 200
    (RFC 9110 §15.3.7). But the part says what the origin sent last, and the length of the whole.
    """
    return request.method == "HEAD" and not covers(request, entry)


def _precedence(
    request: Request, entry: StoredResponse, policy: CachePolicy
) -> tuple[bool, bool, bool, bool, bool, float]:
    """Return the sort key of matching stored responses: the greatest is the best (RFC 9111 §4.1)."""
    covering = entry.complete_length is None or covers(request, entry)  # a part that does not suit is the last choice
    exact = not policy.keying.no_vary_search or entry.target == target_uri(request)  # ledger KEY-24
    challenge = entry.head.status == 401 and policy.private.keep_unfresh  # the last choice
    # prefer a response with Vary, as more specific; then one to GET, as it has content; then the latest
    return covering, exact, not challenge, bool(entry.vary), entry.method != "HEAD", date_of(entry)


def obstacle(
    request: Request, entry: StoredResponse, client_directives: RequestDirectives, policy: CachePolicy, now: float
) -> tuple[Forwarded, Detail | None] | None:
    """Return why a stored response must not be used without asking the origin, or None."""
    if not covers(request, entry) and not (request.method == "HEAD" and policy.network.offline):
        return Forwarded.PARTIAL, None
    if request.method == "OPTIONS" and not policy.network.offline:  # RFC 9110 §9.3.7
        return Forwarded.METHOD, None
    if policy.freshness.always_fresh:
        return None
    if entry.scrubbed and not policy.network.offline:  # the origin can send the original
        return Forwarded.REQUEST, Detail.SCRUBBED
    directives = directives_of(entry, policy)
    shareable = is_shareable_if_authorized(directives) or is_bound_to_credential(entry)
    if is_authorized(request, policy) and not (shareable or policy.private.keep_private):
        return Forwarded.REQUEST, Detail.AUTHORIZATION
    if now < policy.freshness.clock_valid_from:  # RFC 9111 §4: without a correct clock, freshness is unknown
        return Forwarded.STALE, Detail.NO_CLOCK
    if reason := reason_to_validate(entry, policy):
        return None if overrides_origin(policy) else (Forwarded.STALE, reason)
    age, lifetime = current_age(entry, policy, now), freshness_lifetime(entry, policy).seconds
    fresh = lifetime > age
    if not policy.network.offline and (
        reason := _client_reason_to_validate(
            request, client_directives, policy, fresh=fresh, age=age, immutable=directives.immutable
        )
    ):
        # RFC 9211 §2.2: `request` is for a copy that is fresh
        return (Forwarded.REQUEST if fresh else Forwarded.STALE), reason
    if fresh and (client_directives.min_fresh <= lifetime - age or policy.network.offline):
        return None
    if fresh:
        return Forwarded.REQUEST, Detail.REQUEST_MIN_FRESH
    return None if stale_use(entry, client_directives, policy, now) else (Forwarded.STALE, None)


def _client_reason_to_validate(
    request: Request,
    client_directives: RequestDirectives,
    policy: CachePolicy,
    *,
    fresh: bool,
    age: float,
    immutable: bool,
) -> Detail | None:
    """Return why the client's directives demand a validation, or None (RFC 9111 §5.2.1). `age` is in seconds."""
    reload = effects_of(request, policy).client_reload or client_reload(request.host, policy)
    if fresh and reload is ClientReload.IGNORE_WHEN_FRESH:
        return None
    if client_directives.no_cache:
        return Detail.REQUEST_NO_CACHE
    max_age = client_directives.max_age
    if max_age is None or (max_age > 0 and age <= max_age):
        return None
    # RFC 8246 §2: a reload does not validate an immutable response; §3: if https has protected it from alteration
    return None if fresh and immutable and request.scheme == "https" else Detail.REQUEST_MAX_AGE
