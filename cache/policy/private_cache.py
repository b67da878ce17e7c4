"""A private cache: what one user's cache stores, and uses without a network, beyond what RFC 9111 allows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cache.http.messages import Request
from cache.policy.operator_rules import PostRule, QueryRule


@dataclass(frozen=True, slots=True)
class PrivateCache:
    """The rules of RFC 9111 that are relaxed for one user. The default relaxes none."""

    scope: str = ""
    """The name of the profile that stores and sees the responses; empty for responses that all policies share."""
    secrets: frozenset[str] = frozenset()
    """Lower-case names of fields and of members of JSON whose values are never stored."""
    keep_private: bool = False
    """Store `private` responses, and send them to authorized requests."""
    keep_unfresh: bool = False
    """Store responses without a lifetime and without a validator, redirects and errors included."""
    keep_no_store: bool = False
    """Store responses although the origin or the client says `no-store`, for use offline only."""
    keep_authorized: tuple[re.Pattern[str], ...] = ()
    """Paths whose responses to requests with Authorization are stored, each for that Authorization only."""
    keep_authorized_for_any: tuple[re.Pattern[str], ...] = ()
    """Paths whose responses are stored and, offline, are sent whatever Authorization a request has."""
    keep_preflights: bool = False
    """Store responses to CORS preflights, for use while the origin is not asked."""
    override_offline: bool = False
    """Offline, send copies that the origin does not allow to be sent without validation."""

    @property
    def relaxes_rules(self) -> bool:
        """Return whether responses are stored that a shared cache must not store."""
        return self.is_for_one_user or self.keep_unfresh

    @property
    def is_for_one_user(self) -> bool:
        """Return whether all clients are one user: what they get needs no protection from each other offline."""
        flags = self.keep_private or self.keep_no_store or self.override_offline
        return flags or bool(self.keep_authorized or self.keep_authorized_for_any)


SHARED_CACHE = PrivateCache()
"""A shared cache: no rule is relaxed."""


def without_dropped_parameters(request: Request, rules: Sequence[QueryRule]) -> Request:
    """Return the request, with a key that is made without the query parameters that the rules drop."""
    path, mark, query = request.target.partition("?")
    if not mark:
        return request
    dropped = [
        pattern
        for rule in rules
        if rule.host.fullmatch(request.host) and rule.path.fullmatch(path)
        for pattern in rule.drop
    ]
    parameters = query.split("&")
    kept = [
        parameter
        for parameter in parameters
        if not any(pattern.fullmatch(parameter.partition("=")[0]) for pattern in dropped)
    ]
    if len(kept) == len(parameters):
        return request
    return replace(request, cache_target=path + (f"?{'&'.join(kept)}" if kept else ""))


def is_kept_although_authorized(request: Request, private: PrivateCache) -> bool:
    """Return whether the response is stored although the request has Authorization."""
    return _path_matches(request, private.keep_authorized) or is_for_any_credential(request, private)


def is_for_any_credential(request: Request, private: PrivateCache) -> bool:
    """Return whether, offline, the response is sent whatever Authorization a request has."""
    return _path_matches(request, private.keep_authorized_for_any)


def _path_matches(request: Request, patterns: Sequence[re.Pattern[str]]) -> bool:
    path = request.target.partition("?")[0]
    return any(pattern.fullmatch(path) for pattern in patterns)


def is_reading_post(request: Request, media_type: str, rules: Sequence[PostRule]) -> bool:
    """Return whether a rule says that a request is a POST that only reads. `media_type` is that of its content."""
    path = request.target.partition("?")[0]
    return request.method == "POST" and any(
        rule.host.fullmatch(request.host) and rule.path.fullmatch(path) and rule.content_type.fullmatch(media_type)
        for rule in rules
    )
