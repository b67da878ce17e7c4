"""A hot response: what a request head led to, kept until the engine might decide otherwise.

The same bytes on the same kind of connection are the same request, and the engine is a function of the request, the
stored responses, the policy and the time. So while the policy and the stored responses under the key are unchanged,
the response is the same until `valid_until`, except for `Age` and `ttl`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import floor
from typing import NamedTuple

from addon.frontend.http1.response_head import escaped, framing_of, template_bytes
from addon.pipeline.counting import from_copy_counters, host_counters, request_counters, response_counters
from addon.runtime.counters import Counters
from addon.runtime.metrics.responses import ResponseMetrics
from cache.answer.cache_status import Handling
from cache.engine.decisions import Serve
from cache.http.messages import Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.site_rules import Rate
from cache.rules.freshness import current_age, freshness_lifetime
from cache.rules.site_requests import effects_of
from cache.rules.stored_response import StoredResponse
from cache.stores.base import Stamp

MAX_JOINED = 4096
"""Bytes of content that are kept in one piece with the head."""

MAX_PERCENT_SIGNS = 16
"""Percent signs in such content; each has to be doubled in the template."""


LogLine = Callable[[Request, int, int, Handling], str]
"""Makes a line of the access log, of the request, the status, the bytes of content, and the part of the cache."""


@dataclass(slots=True, eq=False)
class HitCount:
    """Hot responses that were sent and add to the same counters."""

    scheme: str
    exemption: str | None
    """The client rule by which they kept the status 200."""
    host: str
    """The host as it is counted."""
    site: str = ""
    """The name of the site; empty if there is none."""
    status: int = 203
    responses: int = 0
    bytes: int = 0
    """Bytes of content that they contained."""
    milliseconds: int = 0
    """The time that the origins had taken to send these responses."""

    def flush(self, counters: Counters, metrics: ResponseMetrics) -> None:
        """Add to the counters and the metrics, and start again from zero."""
        if self.responses:
            hit = Handling(hit=True)
            names = response_counters(self.scheme, hit, self.exemption) + host_counters(self.host, hit)
            counters.count_each((*request_counters(self.scheme), *names), self.responses)
            counters.count_each(from_copy_counters(self.host), self.bytes)
            counters.count("milliseconds.saved", self.milliseconds)
            metrics.note_hot(self.site, self.status, self.responses, self.bytes)
            self.responses = self.bytes = self.milliseconds = 0


class Encoded(NamedTuple):
    """A response as it is sent, with the seconds in its head left open."""

    template: bytes
    """The head, with places for the seconds; behind it the content, if that is small."""
    has_ttl: bool
    """One of the places is for `ttl`."""
    content: bytes
    """The content that is not in the template."""
    cache_status: str = ""
    """Cache-Status with `%d` for `ttl`, if the template does not contain it."""


@dataclass(slots=True, eq=False)
class KnownDecision(Stamp):
    """Signs by which it is seen whether the engine would still decide as it did.

    It is a stamp itself, since memory is full of hot responses. Its `version` is that of the generation table when it
    last showed no change.
    """

    policy: CachePolicy
    valid_until: float
    """In seconds since the epoch."""
    born: float
    """The time at which the stored response had age 0, in seconds since the epoch."""
    lifetime: int
    """Seconds."""


@dataclass(slots=True, eq=False)
class HotResponse(KnownDecision):
    """One response, with the seconds in its head left open. It is encoded for HTTP/1."""

    entry_id: str
    template: bytes
    """The head, with `%d` for `Age` and, if it is sent, for `ttl`; behind it the content, if that is small."""
    has_ttl: bool
    content: bytes
    """The content that is not in the template."""
    length: int
    """Bytes of content."""
    milliseconds: int
    """The time that the origin had taken to send the response."""
    hits: HitCount
    name: bytes | str = b""
    """The request's name in the hot cache."""
    sent: int = 0
    """Number of times that it was sent since uses were last reported."""
    log_line: str = ""
    """Its line in the access log, as `LineFormat.prepare` returns it; empty if there is no log."""
    cache_status: str = ""
    """See `Encoded`."""
    visited: bool = False
    """It was sent since the hot cache last checked for unused responses."""
    used: bool = False
    """It was sent since uses were last reported to the store."""
    rate: Rate | None = None
    """Each client may have it only so often, by a rule of its site."""
    in_main_queue: bool = False
    """It is in the main queue of the hot cache, not in the small one."""

    def head_at(self, now: float) -> bytes:
        """Return the head at `now`, in seconds since the epoch, with the content if that is small."""
        age = now - self.born
        if self.has_ttl:
            return self.template % (floor(age), floor(self.lifetime - age))
        return self.template % floor(age)

    @staticmethod
    def encoded(request: Request, serve: Serve, policy: CachePolicy, content: bytes) -> Encoded | None:
        """Return the response as the protocol sends it, or None if it cannot be sent again."""
        template = template_of(request, serve.response.head, serve.handling, policy)
        if template is None:
            return None
        with_content, rest = joined(template[0], content)
        return Encoded(with_content, template[1], rest)


def joined(template: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Return a template of a head with its content behind it, and the content that does not fit there."""
    # joined: one memory access in place of two
    if len(content) <= MAX_JOINED and content.count(b"%") <= MAX_PERCENT_SIGNS:
        return template + content.replace(b"%", b"%%"), b""
    return template, content


def template_of(request: Request, head: Response, handling: Handling, policy: CachePolicy) -> tuple[bytes, bool] | None:
    """Return the head with `%d` in place of seconds, and whether `ttl` is among them; None if the head has no Age."""
    if sum(name == "Age" for name, _ in head.fields.lines) != 1:
        return None
    lines, has_ttl = with_seconds(escaped(head), handling, policy, "%d", "%d")
    framing = framing_of(head, request.method, request.version, persistent=True)
    return template_bytes(head, lines, framing), has_ttl


def with_seconds(
    lines: Iterable[tuple[str, str]], handling: Handling, policy: CachePolicy, age: str, ttl: str
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Return the lines of a head with another `Age` and `ttl`, and whether there is a `ttl` among them."""
    lines = tuple([(name, age if name == "Age" else value) for name, value in lines])
    if not policy.presentation.cache_status:
        return lines, False
    name, value = lines[-1]  # our own member of Cache-Status is in the last line of the head
    before, old, after = value.rpartition(f"; ttl={handling.ttl}")
    return ((*lines[:-1], (name, f"{before}; ttl={ttl}{after}")), True) if old else (lines, False)


def is_lasting(serve: Serve, policy: CachePolicy, now: float) -> bool:
    """Return whether equal requests get the same response for some time after `now`, in seconds since the epoch."""
    return policy.shortcuts.hot_response and serve.valid_until > now and serve.background_validation is None


def hot_response[Kind: HotResponse](
    kind: type[Kind],
    request: Request,
    serve: Serve,
    content: bytes,
    *,
    policy: CachePolicy,
    now: float,
    stamp: Stamp,
    hits: HitCount,
    log_line: LogLine | None = None,
) -> Kind | None:
    """Return a response that can be sent again, or None if it may be another one a moment later.

    Args:
        kind: The class of the hot responses of the client's protocol.
        request: The client's request.
        serve: The engine's decision at `now`, in seconds since the epoch.
        content: The content of the response.
        policy: The policy that the engine used.
        now: The time of the decision.
        stamp: The generation of the primary key.
        hits: Counts the response when it is sent.
        log_line: Makes its line in the access log, if there is one.
    """
    if not is_lasting(serve, policy, now):
        return None
    encoded = kind.encoded(request, serve, policy, content)
    if encoded is None:
        return None
    entry: StoredResponse = serve.entry
    return kind(
        slot=stamp.slot,
        generation=stamp.generation,
        version=version_of(stamp),
        names=stamp.names,
        purges=stamp.purges,
        tags=entry.tags,
        policy=policy,
        entry_id=entry.id,
        valid_until=serve.valid_until,
        born=now - current_age(entry, policy, now),
        lifetime=freshness_lifetime(entry, policy).seconds,
        template=encoded.template,
        has_ttl=encoded.has_ttl,
        content=encoded.content,
        cache_status=encoded.cache_status,
        length=len(content),
        milliseconds=entry.milliseconds,
        hits=hits,
        rate=effects_of(request, policy).rate,
        log_line=log_line(request, serve.response.head.status, len(content), serve.handling) if log_line else "",
    )


def version_of(stamp: Stamp) -> int:
    """Return the version of the generation table at which nothing had changed; -1 if there was a change just then."""
    return stamp.version if stamp.generation >= 0 else -1
