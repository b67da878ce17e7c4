"""The request on its way to the origin: this hop's fields off, Via on, conditional where something is validated."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from operator import attrgetter

from cache.engine.decisions import Forward, UpstreamRequest, Validate
from cache.http.cache_control import shareable_although_authorized
from cache.http.field_table import end_to_end
from cache.http.fields import delta_seconds, is_strong
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules import validation
from cache.rules.forward_targets import pseudonym
from cache.rules.freshness import directives_of
from cache.rules.key import chosen_by
from cache.rules.storability import is_authorized
from cache.rules.stored_parts import gap
from cache.rules.stored_response import StoredResponse


def upstream(request: Request, policy: CachePolicy) -> Request:
    """Return the request as it goes forward: without this hop's fields, with Via (RFC 9110 §7.6)."""
    return request.with_fields(_forwarded(request.fields, request.method, request.version, pseudonym(policy)))


@lru_cache(maxsize=512)
def _forwarded(fields: Fields, method: str, version: str, name: str) -> Fields:
    fields = end_to_end(fields)
    hops = delta_seconds(fields.get("max-forwards") or "")
    if hops and method in ("OPTIONS", "TRACE"):  # RFC 9110 §7.6.2
        fields = fields.replacing("Max-Forwards", str(hops - 1))
    return fields.appending(("Via", f"{version.removeprefix('HTTP/')} {name}"))


# what belongs to one client's request, not to a validation that the proxy starts itself (RFC 5861 §5)
_PERSONAL = frozenset({"authorization", "cache-control", "cookie", "pragma", "range", *validation.PRECONDITIONS})


def behind(request: Request, entry: StoredResponse, policy: CachePolicy) -> Request:
    """Return the request for a validation in the background, started by a client's request."""
    kept = request.fields.without(_PERSONAL - chosen_by(entry))
    return upstream(replace(request, method="GET", fields=kept), policy)


def completing(sent: UpstreamRequest, request: Request, parts: StoredResponse, policy: CachePolicy) -> Forward:
    """Return the request for what is missing of a stored content, or for all of it where that would not be safe.

    What is fetched can be joined under a strong entity tag alone (RFC 9111 §3.3, RFC 9110 §13.1.5).
    """
    tag, missing = validation.entity_tag(parts.head.fields), gap(parts)
    plain = request.method == "GET" and request.fields.names().isdisjoint({"range", *validation.PRECONDITIONS})
    # what one client may not see says nothing of what all may
    theirs = is_authorized(request, policy) and not shareable_although_authorized(directives_of(parts, policy))
    if not plain or theirs or tag is None or not is_strong(tag) or missing is None:
        return as_it_is(sent)
    wanted = ("Range", f"bytes={missing[0]}-{missing[1] - 1}"), ("If-Range", tag)
    asking = replace(sent.request, fields=sent.request.fields.appending(*wanted))
    return as_it_is(replace(sent, request=asking, completes=parts))


def as_it_is(sent: UpstreamRequest) -> Forward:
    """Return a request that validates nothing."""
    return Forward(*_said(sent))


def validating(sent: UpstreamRequest, nominated: tuple[StoredResponse, ...]) -> Validate | Forward:
    """Return the request made conditional, or as it is where nothing can be validated."""
    # RFC 9111 §4.3.5: a HEAD goes forward as a HEAD, to freshen rather than to validate
    if not nominated or sent.request.method != "GET":
        return as_it_is(sent)
    asking = validation.conditional(sent.request, nominated)
    return Validate(*_said(replace(sent, request=asking, nominated=nominated)))


_said = attrgetter(*(slot.name for slot in fields(UpstreamRequest)))
