"""Stored responses as people read them: how old they are, for which requests, and what clients get of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from addon.config.units import size_text, time_text
from cache.engine import preview
from cache.http.fields import imf_date
from cache.http.messages import Response
from cache.policy.cache_policy import CachePolicy
from cache.rules.freshness import current_age, freshness_lifetime, is_fresh
from cache.rules.key import is_spelled_as
from cache.rules.ownership import ANY, API_KEY, COOKIE, CREDENTIAL, SCOPE
from cache.rules.stored_response import StoredResponse
from cache.rules.vary import VIEW, never_matches

HEADINGS = ("", "FIELD", "ORIGIN SENT", "CLIENT GETS")
"""The headings above `compared_rows`."""


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A line of the definitive head and of the presented head; None if a head does not have it."""

    name: str
    definitive: str | None
    presented: str | None

    @property
    def mark(self) -> str:
        """`-` for a line that the client does not get, `+` for one that this proxy adds, `~` for a change."""
        if self.definitive == self.presented:
            return " "
        if self.presented is None:
            return "-"
        return "+" if self.definitive is None else "~"


def compared(definitive: Response, presented: Response) -> Iterator[ComparedLine]:
    """Iterate over the lines of both heads: first the status, then each field, in the order of its first line."""
    yield ComparedLine("status", f"{definitive.status} {definitive.reason}", f"{presented.status} {presented.reason}")
    names: dict[str, str] = {}
    for name, _ in (*definitive.fields, *presented.fields):
        names.setdefault(name.lower(), name)
    for name in names.values():
        for before, after in zip_longest(definitive.fields.all(name), presented.fields.all(name)):
            yield ComparedLine(name, before, after)


def compared_rows(entry: StoredResponse, policy: CachePolicy, now: float) -> list[tuple[str, str, str, str]]:
    """Return the head that the origin sent beside the one that a client would get now, as rows of a table."""
    lines = compared(entry.head, preview(entry, policy, now))
    return [(line.mark, line.name, line.definitive or "", line.presented or "") for line in lines]


def freshness_state(entry: StoredResponse, policy: CachePolicy, now: float) -> str:
    """Return `fresh`, `stale`, or another state in which it answers no request at any age without the origin.

    `invalid` needs validation, and `vary-star` matches no request.
    """
    if never_matches(entry, policy):
        return "vary-star"
    if entry.invalid:
        return "invalid"
    return "fresh" if is_fresh(entry, policy, now) else "stale"


def summary(entry: StoredResponse, policy: CachePolicy, now: float, prefix: str = "") -> Iterator[str]:
    """Iterate over lines about a stored response; the first one begins with `prefix`."""
    lifetime = freshness_lifetime(entry, policy)
    yield f"{prefix}{entry.method} {entry.key}"
    yield (
        f"{freshness_state(entry, policy, now)}, age {time_text(current_age(entry, policy, now))}"
        f" of {time_text(lifetime.seconds)} ({lifetime.source})"
    )
    yield f"stored {imf_date(entry.stored_at)}, {size_text(entry.length)}"
    yield f"sha256 {entry.sha256}"
    if entry.scrubbed:
        yield "scrubbed: this proxy removed secrets from it"
    yield from (f"for requests {condition}" for condition in selecting_fields(entry))


def selecting_fields(entry: StoredResponse) -> Iterator[str]:
    """Iterate over the conditions for a request to get a variant, as text."""
    if not is_spelled_as(entry.key, entry.target):
        yield f"spelled {entry.target}"
    for name, value in entry.vary:
        if name == SCOPE:
            yield f"of the profile {value}"
        elif name == CREDENTIAL:
            yield "with any Authorization, offline" if value == ANY else _same("Authorization", value)
        elif name == COOKIE:
            yield _same("Cookie", value)
        elif name == API_KEY:
            yield _same("API key", value)
        elif name == VIEW:
            yield f"as trusted proxies described it: {value}"
        else:
            yield f"with {name}: {value}" if value is not None else f"without {name}"


def _same(name: str, keyed_hash: str | None) -> str:
    return f"without {name}" if keyed_hash is None else f"with the same {name}"
