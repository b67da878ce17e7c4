"""Upstream requests: hop-by-hop fields removed, Via added, and conditional if a stored response is validated.

An edge names the client to the origin when the request is sent: see `cache/rules/forwarded_fields.py`.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from operator import attrgetter

from cache.engine.decisions import Forward, UpstreamRequest, Validate
from cache.http.cache_control import is_shareable_if_authorized
from cache.http.field_table import end_to_end
from cache.http.fields import delta_seconds, is_strong, tokens
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules import validation
from cache.rules.accept_encoding import with_class
from cache.rules.coded_forms import with_tags_of_origin
from cache.rules.forward_targets import pseudonym
from cache.rules.freshness import directives_of
from cache.rules.storability import is_authorized
from cache.rules.stored_parts import missing_range
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import selecting_fields


def forwarded(request: Request, policy: CachePolicy) -> Request:
    """Return the client's request as it is forwarded: without hop-by-hop fields, with Via (RFC 9110 §7.6)."""
    identity, name = policy.identity, pseudonym(policy)
    fields = with_class(request.fields) if policy.codings.classes else request.fields
    fields = _forwarded_fields(fields, request.method)
    if policy.codings.compress and "if-match" in fields:
        fields = with_tags_of_origin(fields)
    if identity.via:
        fields = _with_via(fields, request.version, name)
    if identity.gateway or not identity.via:
        fields = _with_cdn_loop(fields, name)
    client = identity.forwarded if identity.gateway and request.client is None else request.client
    return request.with_fields(fields).with_client(client)


@lru_cache(maxsize=512)
def _forwarded_fields(fields: Fields, method: str) -> Fields:
    accepts_trailers = "trailers" in tokens(fields.get("te"))
    fields = end_to_end(fields)
    if accepts_trailers:  # RFC 9110 §10.1.4: this proxy passes trailers on, if its client takes them
        fields = fields.appending(("TE", "trailers"))
    hops = delta_seconds(fields.get("max-forwards") or "")
    if hops and method in ("OPTIONS", "TRACE"):  # RFC 9110 §7.6.2
        fields = fields.replacing("Max-Forwards", str(hops - 1))
    return fields


@lru_cache(maxsize=512)
def _with_via(fields: Fields, version: str, name: str) -> Fields:
    return fields.appending(("Via", f"{version.removeprefix('HTTP/')} {name}"))


@lru_cache(maxsize=512)
def _with_cdn_loop(fields: Fields, name: str) -> Fields:
    return fields.replacing("CDN-Loop", ", ".join([*fields.all("cdn-loop"), name]))  # RFC 8586 §2


# fields about one client's request, which a validation that the proxy starts itself must not carry (RFC 5861 §5)
_PERSONAL = frozenset({"authorization", "cache-control", "cookie", "pragma", "range", *validation.PRECONDITIONS})


def in_background(request: Request, entry: StoredResponse, policy: CachePolicy) -> Request:
    """Return the request for a background revalidation of `entry`, which the client's `request` starts."""
    kept = request.fields.without(_PERSONAL - selecting_fields(entry))
    client = request.client and request.client.unnamed()
    return forwarded(replace(request, method="GET", fields=kept, client=client), policy)


def for_missing_part(
    upstream_request: UpstreamRequest, request: Request, parts: StoredResponse, policy: CachePolicy
) -> Forward:
    """Return the upstream request for the missing part of a response, or for the whole if that is not safe.

    Only with a strong entity tag can parts be combined (RFC 9111 §3.3, RFC 9110 §13.1.5). `request` is the client's.
    """
    tag, missing = validation.entity_tag(parts.head.fields), missing_range(parts)
    plain = request.method == "GET" and request.fields.names().isdisjoint({"range", *validation.PRECONDITIONS})
    # the response to an authorized request may differ from the stored parts
    unshared = is_authorized(request, policy) and not is_shareable_if_authorized(directives_of(parts, policy))
    if not plain or unshared or tag is None or not is_strong(tag) or missing is None:
        return without_validation(upstream_request)
    added = ("Range", f"bytes={missing[0]}-{missing[1] - 1}"), ("If-Range", tag)
    ranged = replace(upstream_request.request, fields=upstream_request.request.fields.appending(*added))
    return without_validation(replace(upstream_request, request=ranged, stored_parts=parts))


def without_validation(upstream_request: UpstreamRequest) -> Forward:
    """Return the upstream request as one that validates nothing."""
    return Forward(*_field_values(upstream_request))


def validating(upstream_request: UpstreamRequest, entries: tuple[StoredResponse, ...]) -> Validate | Forward:
    """Return the upstream request made conditional on `entries`, or unchanged if there is nothing to validate."""
    # RFC 9111 §4.3.5: a HEAD is forwarded as it is; its response updates or invalidates stored ones
    if not entries or upstream_request.request.method != "GET":
        return without_validation(upstream_request)
    conditional = validation.conditional(upstream_request.request, entries)
    return Validate(*_field_values(replace(upstream_request, request=conditional, to_validate=entries)))


_field_values = attrgetter(*(field.name for field in fields(UpstreamRequest)))
