"""Response templates: what one response has led to, ready for other responses with the same form of head.

For requests from one request template, what the engine decides about a response depends on its head. If it is passed on
and stored, or not stored since the origin forbids that, it does not depend on the values that the form of a head leaves
open, on the target of the request, or on the content. So only these are filled in for the next such response.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from addon.frontend.http1.batched_counters import BatchedCounters, Tally
from addon.frontend.http1.response_head import escaped, framing_of, template_bytes
from addon.origin.head_form import FormedHead
from addon.pipeline.outcomes import counters_of
from cache.engine.decisions import Outcome, Relay, Store
from cache.http.cache_control import response_directives
from cache.http.fields import http_date
from cache.http.messages import Fields, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import NotStored
from cache.rules.credentials import has_credentials
from cache.rules.freshness import explicit_lifetime
from cache.rules.key import target_uri
from cache.rules.stored_response import StoredResponse
from cache.rules.tags import has_tags_by_rule

UNCACHEABLE = frozenset({NotStored.NO_STORE, NotStored.PRIVATE})
"""Reasons not to store a response that depend on what the origin says, not on the request."""


@dataclass(slots=True, eq=False)
class ResponseTemplate:
    """The outcome of a response, with places for the open values of other heads of the same form."""

    outcome: Relay | Store
    head: bytes
    """The head that the client gets, with `%b` for open values."""
    passed: tuple[int, ...]
    """The numbers of these open values, in order."""
    stored: tuple[tuple[int, int], ...]
    """The places of open values among the stored field lines, each with the number of the value."""
    date: int
    """The number of the value of Date."""
    responses: Tally
    """The number of such responses, for the counters."""

    latest: tuple[FormedHead, bytes] | None = None
    """The last head of its form, and what the client got: origins repeat heads."""

    def head_for(self, head: FormedHead, now: float) -> bytes | None:
        """Return the head that the client gets for a head of the form, or None if the template does not hold for it.

        `now` is in seconds since the epoch.
        """
        if self.latest is not None and self.latest[0] is head:
            return self.latest[1]
        values = head.open_values
        if http_date(values[self.date], now) is None:  # this cache would replace the Date
            return None
        filled = self.head % tuple([values[number].encode("ascii") for number in self.passed])
        self.latest = head, filled
        return filled

    def entry_for(
        self,
        first: StoredResponse,
        entry_id: str,
        request: Request,
        times: tuple[float, float],
        *,
        key: str,
        values: tuple[str, ...],
        body: bytes,
        last_purge: int,
    ) -> StoredResponse:
        """Return what is stored of a response, like what was stored of the first one.

        Args:
            first: The stored response that `outcome` contains.
            entry_id: The id of the new one.
            request: The request that the response answers.
            times: When this request was sent, and when the head was received; seconds since the epoch.
            key: The primary key of the request.
            values: The open values of its head.
            body: Its content.
            last_purge: Number of the last purge when the request was sent.
        """
        lines = list(first.head.fields.lines)
        for place, number in self.stored:
            lines[place] = (lines[place][0], values[number])
        return StoredResponse(
            id=entry_id,
            key=key,
            method=first.method,
            target=target_uri(request),
            head=Response(first.head.status, first.head.reason, Fields(tuple(lines)), first.head.version),
            request_time=times[0],
            response_time=times[1],
            stored_at=times[1],
            vary=first.vary,
            length=len(body),
            sha256=sha256(body).hexdigest(),
            personal=first.personal,
            scrubbed=first.scrubbed,
            clock=first.clock,
            tags=first.tags,
            last_purge=last_purge,
        )


def response_template(
    request: Request, head: FormedHead, outcome: Outcome, policy: CachePolicy, counters: BatchedCounters
) -> ResponseTemplate | None:
    """Return a template by what a response has led to, or None if one with other open values may lead to another."""
    origin = head.parsed.response
    match outcome:
        case Relay(changes=(), not_stored=reason) if reason in UNCACHEABLE:
            stored: tuple[tuple[int, int], ...] | None = ()
        case Store(changes=(), replaces=()) if not outcome.secrets and _is_stored_alike(request, origin, policy):
            stored = _places(head, outcome.entry.head.fields)
        case _:
            return None
    presented = outcome.response.head
    framing = framing_of(presented, "GET", request.version, persistent=True)
    passed = _places(head, presented.fields)
    if framing.chunked or framing.close or not outcome.response.has_content or passed is None or stored is None:
        return None
    dates = [number for place, number in passed if presented.fields.lines[place][0].lower() == "date"]
    if len(dates) != 1:
        return None
    stored_counter = ("stored",) if isinstance(outcome, Store) else ()
    lines = escaped(presented)
    for place, _ in passed:
        lines[place] = (lines[place][0], "%b")
    return ResponseTemplate(
        outcome=outcome,
        head=template_bytes(presented, lines, framing),
        passed=tuple([number for _, number in passed]),
        stored=stored,
        date=dates[0],
        responses=counters.tally(
            "origin.fetches",
            *counters_of(request, outcome, counters.counted_as(request.authority)),
            *stored_counter,
        ),
    )


def _is_stored_alike(request: Request, head: Response, policy: CachePolicy) -> bool:
    """Return whether a response would be stored in the same way with other open values and another target."""
    fields = head.fields
    explicit = explicit_lifetime(fields, 0.0, response_directives(fields, policy.targeted_fields)) is not None
    return (
        head.status == 200
        and not policy.storing.content_type_match  # else it depends on the extension of the path
        and not has_tags_by_rule(target_uri(request), head, policy)  # the same
        and (explicit or "etag" in fields or "last-modified" in fields)  # else on the operator's lifetimes for paths
        and not has_credentials(request.fields)  # else on the seconds from Date to Expires
        and "repr-digest" not in fields  # else on the content
    )


def _places(head: FormedHead, fields: Fields) -> tuple[tuple[int, int], ...] | None:
    """Return the places of the open values among other field lines, each with the number of the value.

    None if they cannot be told for certain.
    """
    origin = head.parsed.response.fields
    places = []
    for number, place in enumerate(head.form.places):
        name = origin.lines[place][0]
        if len(origin.all(name)) != 1:
            return None
        found = [at for at, line in enumerate(fields.lines) if line[0].lower() == name.lower()]
        if len(found) > 1 or (found and fields.lines[found[0]] != origin.lines[place]):
            return None
        places += [(at, number) for at in found]
    return tuple(sorted(places))
