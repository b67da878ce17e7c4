"""What one user's cache keeps, and uses without a network, beyond what the rules of caching allow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cache.http.messages import Request


@dataclass(frozen=True, slots=True)
class Keeping:
    """Which rules are relaxed. Nothing of it, unless a profile or the operator says so."""

    private: bool = False
    """The cache is one user's: `private` responses are kept, and shown to authorized requests."""
    unfresh: bool = False
    """Keep what has neither a lifetime nor a validator, redirects and refusals among it."""
    no_store: bool = False
    """Keep what its origin or client says not to store, for use offline alone."""
    authorized: tuple[re.Pattern[str], ...] = ()
    """Paths under which answers to requests with Authorization are kept, each for that Authorization alone."""
    authorized_for_any: tuple[re.Pattern[str], ...] = ()
    """Paths under which they are kept, and offline are for any other Authorization too, and for none."""
    override: bool = False
    """Offline, send copies although their origin forbids that unasked."""


NOTHING_MORE = Keeping()
"""Just what the rules allow."""


@dataclass(frozen=True, slots=True)
class QueryRule:
    """Parameters of a query that say nothing about what is asked for, like the signature of a signed URL."""

    host: re.Pattern[str]
    path: re.Pattern[str]
    drop: tuple[re.Pattern[str], ...]
    """Names of parameters."""


@dataclass(frozen=True, slots=True)
class PostRule:
    """Requests by POST that only read: the digest of their content is part of the key."""

    host: re.Pattern[str]
    path: re.Pattern[str]
    content_type: re.Pattern[str]
    """Matched against the media type of the request's content, without its parameters."""


def without_signature(request: Request, rules: Sequence[QueryRule]) -> Request:
    """Return the request, keyed as if its query had no parameter that a rule drops."""
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
    kept = [each for each in parameters if not any(name.fullmatch(each.partition("=")[0]) for name in dropped)]
    if len(kept) == len(parameters):
        return request
    return replace(request, keyed_as=path + (f"?{'&'.join(kept)}" if kept else ""))


def is_kept_although_authorized(request: Request, keeping: Keeping) -> bool:
    """Tell whether an answer is kept although its request had Authorization."""
    return _is_under(request, keeping.authorized) or is_for_any_credential(request, keeping)


def is_for_any_credential(request: Request, keeping: Keeping) -> bool:
    """Tell whether it does not matter, offline, by which Authorization an answer was got."""
    return _is_under(request, keeping.authorized_for_any)


def _is_under(request: Request, paths: Sequence[re.Pattern[str]]) -> bool:
    path = request.target.partition("?")[0]
    return any(pattern.fullmatch(path) for pattern in paths)


def reads_by_post(request: Request, media_type: str, rules: Sequence[PostRule]) -> bool:
    """Tell whether a request is a POST that only reads, as a rule has it; `media_type` is its content's."""
    path = request.target.partition("?")[0]
    return request.method == "POST" and any(
        rule.host.fullmatch(request.host) and rule.path.fullmatch(path) and rule.content_type.fullmatch(media_type)
        for rule in rules
    )
