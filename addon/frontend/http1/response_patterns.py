"""Response patterns: hits from copies with like heads need no engine.

The copies from an origin often have the same fields, and only the values of a few differ: an entity tag, dates. A plain
request does not depend on these values, so the engine's response to it repeats them in the same places. The first such
response leaves a pattern, in which these values are open; for other copies, they are filled in. Everything else that
the decision depends on is the same for all requests of a class, or part of the form of a copy, or is checked for each
copy. Age and lifetime are computed for each copy, by the rules that the engine uses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from addon.frontend.http1.hot_response import HitCount, HotResponse, LogLine, joined, template_of, version_of
from cache.answer.cache_status import Handling
from cache.answer.compose import NO_CONTENT, path_conditions
from cache.engine.decisions import Serve
from cache.http.fields import http_date
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail
from cache.rules.freshness import FUTURE_TOLERANCE, age_since_receipt, freshness_lifetime, received_age
from cache.rules.ownership import ANY, CREDENTIAL
from cache.stores.base import Stamp
from cache.stores.whole_copy import OPEN, Form, WholeCopy, form_of

SELECTING = frozenset(
    "accept-datetime authorization cache-control if-match if-modified-since if-none-match if-range if-unmodified-since"
    " pragma range".split()
)
"""Request fields by which the decision depends on open values or on the age. Requests with them are not plain."""

MAX_PATTERNS = 64
"""Patterns for one class of requests; when there are more, all are forgotten."""

_FIXED_LIFETIMES = frozenset({"max-age", "s-maxage"})
_OPEN_VALUE = "\0"
"""In place of an open value; no field contains it."""

_HIT = Handling(hit=True)

_LENGTH, _LENGTH_FIELD = -1, "content-length"
"""In place of the place of a value: the length of the body; and the name of its field."""


@dataclass(frozen=True, slots=True)
class ResponsePattern:
    """The response from a copy, with the values of that copy left open."""

    template: str
    """The head with `%s` for each open value, and `%%d` for seconds."""
    places: tuple[int, ...]
    """For each open value of the template, its index among those of the copy, or `_LENGTH`."""
    date: int | None
    """The index of the Date among the open values of the copy; None if it adds nothing to the age."""
    received_age: int
    """The Age that the copy was received with, in seconds."""
    has_ttl: bool
    status: int
    exemption: str | None
    """The reason to send 200 in place of 203."""
    source: str
    """The rule that the lifetime comes from."""
    lifetime: int | None
    """The lifetime in seconds, if it depends on no open value."""

    def filled(self, values: tuple[str, ...], length: int) -> bytes:
        """Return the template of a hot response whose copy has these open values, and a body of this length."""
        given = (*values, str(length))  # the last one, so that it is in place -1
        return (self.template % tuple([given[place].replace("%", "%%") for place in self.places])).encode("latin-1")

    def age(self, copy: WholeCopy, policy: CachePolicy, now: float) -> float | None:
        """Return the age of the copy in seconds at `now`, seconds since the epoch; None if it is from the future."""
        received_at = copy.response_time - policy.freshness.clock.set_back_since(copy.clock)
        if received_at > now + FUTURE_TOLERANCE:
            return None
        date = None
        if self.date is not None:
            date = http_date(copy.values[self.date], copy.response_time)
            date = copy.response_time if date is None else date
        corrected = self.received_age + max(0.0, copy.response_time - copy.request_time)
        return age_since_receipt(now, received_at, corrected, date)


class ResponsePatterns:
    """The patterns for requests that are alike but for their path."""

    def __init__(self) -> None:
        self._patterns: dict[tuple[object, ...], ResponsePattern] = {}
        self._policy: CachePolicy | None = None
        self._path_conditions: tuple[Callable[[str], object], ...] = ()

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._patterns)

    def learn(self, request: Request, serve: Serve, policy: CachePolicy, hot: HotResponse) -> None:
        """Keep the pattern of a hot response, if the engine has made it from the only stored response under its key."""
        entry, head, formed = serve.entry, serve.response.head, form_of(serve.entry)
        if formed is None or not _is_plain(request, policy) or not _is_whole(serve):
            return
        form, values = formed
        names = [line.lower() for line in form[0] if isinstance(line, str)]
        passed = [name.lower() for name, _ in head.fields if name in OPEN]
        conservative = policy.freshness.conservative_age
        if len(set(names)) < len(names) or len(set(passed)) < len(passed) or (conservative and "date" not in names):
            return
        opened_lines = tuple((name, _OPEN_VALUE if name in OPEN else value) for name, value in head.fields)
        opened = template_of(request, replace(head, fields=Fields(opened_lines)), serve.handling, policy)
        if opened is None or not {*passed} <= {*names, _LENGTH_FIELD}:
            return
        lifetime = freshness_lifetime(entry, policy)
        pattern = ResponsePattern(
            template=opened[0].decode("latin-1").replace("%", "%%").replace(_OPEN_VALUE, "%s"),
            places=tuple([_LENGTH if name == _LENGTH_FIELD else names.index(name) for name in passed]),
            date=names.index("date") if conservative else None,
            received_age=received_age(entry.head.fields) or 0,
            has_ttl=opened[1],
            status=head.status,
            exemption=serve.response.exemption,
            source=lifetime.source,
            lifetime=lifetime.seconds if lifetime.source in _FIXED_LIFETIMES else None,
        )
        if not hot.template.startswith(pattern.filled(values, entry.length)):
            return
        if policy is not self._policy or len(self._patterns) >= MAX_PATTERNS:
            self._patterns.clear()
            self._policy, self._path_conditions = policy, path_conditions(policy)
        self._patterns[self._key(request, form)] = pattern

    def hot_response(
        self,
        request: Request,
        copy: WholeCopy,
        *,
        policy: CachePolicy,
        now: float,
        stamp: Stamp,
        hits: Callable[[Request, str | None, int], HitCount],
        log_line: LogLine | None,
    ) -> HotResponse | None:
        """Return the hot response that the engine's decision would lead to, or None if the engine has to be asked.

        Args:
            request: A request of this class.
            copy: The only stored response under its key, with its body.
            policy: The policy.
            now: The time, in seconds since the epoch.
            stamp: The generation of the primary key.
            hits: Returns what counts the response when it is sent, by the request, the exemption and the status.
            log_line: Makes its line in the access log, if there is one.
        """
        if policy is not self._policy or now < policy.freshness.clock_valid_from:
            return None
        pattern = self._patterns.get(self._key(request, copy.form))
        if pattern is None:
            return None
        seconds = pattern.lifetime
        if seconds is None:
            lifetime = freshness_lifetime(copy.entry(), policy)
            if lifetime.source != pattern.source:
                return None
            seconds = lifetime.seconds
        age = pattern.age(copy, policy, now)
        if age is None or age >= seconds:
            return None
        length = len(copy.body)
        template, rest = joined(pattern.filled(copy.values, length), copy.body)
        return HotResponse(
            slot=stamp.slot,
            generation=stamp.generation,
            version=version_of(stamp),
            names=stamp.names,
            purges=stamp.purges,
            tags=copy.tags,
            policy=policy,
            entry_id=copy.id,
            valid_until=now + (seconds - age),
            born=now - age,
            lifetime=seconds,
            template=template,
            has_ttl=pattern.has_ttl,
            content=rest,
            length=length,
            milliseconds=copy.milliseconds,
            hits=hits(request, pattern.exemption, pattern.status),
            log_line=log_line(request, pattern.status, length, _HIT) if log_line else "",
        )

    def _key(self, request: Request, form: Form) -> tuple[object, ...]:
        """Return what the response depends on, beside the open values, the age, and the class of the request."""
        if not self._path_conditions:
            return form
        return form, tuple([condition(request.target) is None for condition in self._path_conditions])


def _is_plain(request: Request, policy: CachePolicy) -> bool:
    """Return whether the decision about requests of this class depends on no open value."""
    if not policy.shortcuts.response_pattern or request.method != "GET" or request.content_digest:
        return False
    return SELECTING.isdisjoint(request.fields.names())


def _is_whole(serve: Serve) -> bool:
    """Return whether the engine serves all of a stored response because it is fresh."""
    response, entry = serve.response, serve.entry
    fresh = serve.detail in (None, Detail.HEURISTIC, Detail.RULE)
    plain = fresh and serve.background_validation is None and not serve.changes
    has_content = response.head.status not in NO_CONTENT and response.length == entry.length
    # whom a copy for any credential may reach depends on the path
    return plain and has_content and serve.handling.hit and (CREDENTIAL, ANY) not in entry.vary
