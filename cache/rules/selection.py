"""Which stored response may answer a request, and what keeps it from answering without the origin."""

from __future__ import annotations

from collections.abc import Sequence

from cache.http.cache_control import RequestDirectives, request_directives, shareable_although_authorized
from cache.http.fields import tokens
from cache.http.messages import DEFAULT_PORTS, Fields, Request
from cache.policy.cache_policy import CachePolicy, client_reload
from cache.policy.reasons import Detail, Forwarded
from cache.policy.rules import ClientReload
from cache.rules.freshness import (
    current_age,
    date_of,
    directives_of,
    freshness_lifetime,
    never_unasked,
    overrides,
    stale_use,
)
from cache.rules.key import matches
from cache.rules.ownership import is_confined
from cache.rules.poisoning import unkeyed_input
from cache.rules.ranges import Part, Unsatisfiable, requested_parts
from cache.rules.storability import is_authorized
from cache.rules.stored_parts import combined, content
from cache.rules.stored_response import StoredResponse


def passed_by(request: Request, policy: CachePolicy) -> tuple[Forwarded, Detail | None] | None:
    """Return why the cache is passed by, or None where it may answer."""
    fields = request.fields
    if request.method not in ("GET", "HEAD") and not request.content_digest:
        return Forwarded.METHOD, None
    if is_misaddressed(request):
        return Forwarded.BYPASS, Detail.HOST_MISMATCH
    if asks_for_web_socket(fields):
        return Forwarded.BYPASS, Detail.UPGRADE
    if request.has_content and not request.content_digest:  # RFC 9110 §9.3.1: content in a GET invites smuggling
        return Forwarded.BYPASS, Detail.CONTENT_IN_REQUEST
    if "if-match" in fields or "if-unmodified-since" in fields:  # RFC 9111 §4.3.2: not for a cache to judge
        return Forwarded.BYPASS, Detail.PRECONDITION
    if unkeyed_input(fields):  # ledger SEC-04; an edge has removed it
        return Forwarded.BYPASS, Detail.UNKEYED_INPUT
    if policy.requests.bypass_cookies and policy.requests.bypass_cookies & cookie_names(fields):
        return Forwarded.BYPASS, Detail.BYPASS_COOKIE
    if request_directives(fields).no_store and not (policy.network.offline or policy.storing.everything):
        return Forwarded.REQUEST, Detail.REQUEST_NO_STORE
    return None


def asks_for_web_socket(fields: Fields) -> bool:
    """Tell whether a client wants to speak WebSocket; an offer of any other protocol is ignored (RFC 9110 §7.8)."""
    return "websocket" in tokens(fields.get("upgrade"))


def cookie_names(fields: Fields) -> set[str]:
    """Return the names of the cookies that a request bears."""
    return {cookie.partition("=")[0].strip() for cookie in (fields.get("cookie") or "").split(";")}


def is_misaddressed(request: Request) -> bool:
    """Tell whether Host or the TLS name is another than where the request goes (ledger KEY-07)."""
    if "host" not in request.fields and request.tls_name is None:
        return False
    hosts = [host.lower() for host in request.fields.all("host")]
    authority, default = request.authority.lower(), f":{DEFAULT_PORTS.get(request.scheme)}"
    named = [authority] if not hosts else [host.removesuffix(default) for host in hosts]
    return named != [authority] or (request.tls_name or request.host).lower() != request.host.lower()


def covers(request: Request, entry: StoredResponse) -> bool:
    """Tell whether every octet that the answer needs is stored (RFC 9111 §3.3)."""
    if entry.complete_length is None:
        return True
    parts = requested_parts(request, entry)
    if isinstance(parts, Unsatisfiable):
        return True
    return all(content(entry, part.start, part.stop) for part in parts or (Part(0, entry.total),))


def matching(request: Request, candidates: Sequence[StoredResponse], policy: CachePolicy) -> tuple[StoredResponse, ...]:
    """Return the stored responses that could answer, best first (RFC 9111 §4, §4.1)."""
    methods = ("GET", "POST", "HEAD") if request.method == "HEAD" else ("GET", "POST")
    fitting = [entry for entry in candidates if entry.method in methods and matches(entry, request, policy)]
    whole = [entry for entry in fitting if entry.complete_length is None]
    # RFC 9111 §3.3: parts answer only where no whole does
    seen = whole or combined(entry for entry in fitting if entry.complete_length is not None)
    return tuple(sorted(seen, key=lambda entry: _precedence(request, entry, policy), reverse=True))


def _precedence(request: Request, entry: StoredResponse, policy: CachePolicy) -> tuple[bool, bool, bool, bool, float]:
    """Return what puts one stored response before another that fits as well (RFC 9111 §4.1)."""
    exact = not policy.keying.no_vary_search or entry.target == request.uri  # ledger KEY-24
    challenge = entry.head.status == 401 and policy.private.keep_unfresh  # kept for who finds nothing else
    # one with a Vary that fits says more than one without; a GET says more than a HEAD; then the latest
    return exact, not challenge, bool(entry.vary), entry.method != "HEAD", date_of(entry)


def obstacle(
    request: Request, entry: StoredResponse, asked: RequestDirectives, policy: CachePolicy, now: float
) -> tuple[Forwarded, Detail | None] | None:
    """Return what keeps a stored response from being used without asking the origin, or None."""
    if not covers(request, entry):
        return Forwarded.PARTIAL, None
    if policy.freshness.always_fresh:
        return None
    if entry.scrubbed and not policy.network.offline:  # a client that can have the origin's own wants that
        return Forwarded.REQUEST, Detail.SCRUBBED
    directives = directives_of(entry, policy)
    shareable = policy.private.keep_private or shareable_although_authorized(directives) or is_confined(entry)
    if is_authorized(request, policy) and not shareable:
        return Forwarded.REQUEST, Detail.AUTHORIZATION
    if now < policy.freshness.clock_valid_from:  # RFC 9111 §4: without a clock nothing can be called fresh
        return Forwarded.STALE, Detail.NO_CLOCK
    if unasked := never_unasked(entry, policy):
        return None if overrides(policy) else (Forwarded.STALE, unasked)
    age, lifetime = current_age(entry, policy, now), freshness_lifetime(entry, policy).seconds
    fresh = lifetime > age
    if not policy.network.offline and (
        reason := _client_insists(request, directives.immutable, asked, fresh, age, policy)
    ):
        # RFC 9211 §2.2: `request` is for a copy that is fresh
        return (Forwarded.REQUEST if fresh else Forwarded.STALE), reason
    if fresh and (asked.min_fresh <= lifetime - age or policy.network.offline):
        return None
    if fresh:
        return Forwarded.REQUEST, Detail.REQUEST_MIN_FRESH
    return None if stale_use(entry, asked, policy, now) else (Forwarded.STALE, None)


def _client_insists(
    request: Request, immutable: bool, asked: RequestDirectives, fresh: bool, age: float, policy: CachePolicy
) -> Detail | None:
    """Return why the client wants the origin asked although a copy may do, or None (RFC 9111 §5.2.1)."""
    if fresh and client_reload(request.host, policy) is ClientReload.IGNORE_WHEN_FRESH:
        return None
    if asked.no_cache:
        return Detail.REQUEST_NO_CACHE
    if asked.max_age is None or (asked.max_age > 0 and age <= asked.max_age):
        return None
    # RFC 8246 §2: a reload is no reason to ask about what never changes; §3: only where nobody could meddle
    return None if fresh and immutable and request.scheme == "https" else Detail.REQUEST_MAX_AGE
