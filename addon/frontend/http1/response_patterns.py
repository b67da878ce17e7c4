"""Response patterns: hits from copies with like heads need no engine.

The copies from an origin often have the same fields, and only the values of a few differ: an entity tag, dates. A plain
request does not depend on these values, so the engine's response to it repeats them in the same places. The first such
response leaves a pattern, in which these values are open; for other copies, they are filled in. Everything else that
the decision depends on is the same for all requests of a class, or part of the form of a copy, or is checked for each
copy. Age and lifetime are computed for each copy, by the rules that the engine uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from addon.frontend.http1.hot_response import HitCount, HotResponse, joined, template_of, version_of
from addon.runtime.access_log import access_line
from cache.answer.cache_status import Handling
from cache.answer.compose import NO_CONTENT, path_conditions
from cache.engine.decisions import Serve
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.reasons import Detail
from cache.rules.freshness import current_age, freshness_lifetime
from cache.rules.ownership import ANY, CREDENTIAL
from cache.rules.stored_response import StoredResponse
from cache.stores.base import Stamp

OPEN = frozenset(
    spelling
    for name in ("Content-Length", "Date", "ETag", "Expires", "Last-Modified")
    for spelling in (name, name.lower())
)
"""The fields whose values are left open. In any other spelling, a value is part of the form."""

SELECTING = frozenset(
    "accept-datetime authorization cache-control if-match if-modified-since if-none-match if-range if-unmodified-since"
    " pragma range".split()
)
"""Request fields by which the decision depends on open values or on the age. Requests with them are not plain."""

MAX_PATTERNS = 64
"""Patterns for one class of requests; when there are more, all are forgotten."""

_LENGTHS = frozenset({"Content-Length", "content-length"})
_FIXED_LIFETIMES = frozenset({"max-age", "s-maxage"})
_OPEN_VALUE = "\0"
"""In place of an open value; no field contains it."""

_HIT = Handling(hit=True)

type _Form = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class ResponsePattern:
    """The response from a copy, with the values of that copy left open."""

    template: str
    """The head with `%s` for each open value, and `%%d` for seconds."""
    names: tuple[str, ...]
    """The names of the fields that are open in the template, in order."""
    has_ttl: bool
    status: int
    exemption: str | None
    """The reason to send 200 in place of 203."""
    source: str
    """The rule that the lifetime comes from."""
    lifetime: int | None
    """The lifetime in seconds, if it depends on no open value."""

    def filled(self, values: Mapping[str, str]) -> bytes:
        """Return the template of a hot response whose copy has these open values."""
        return (self.template % tuple([values[name].replace("%", "%%") for name in self.names])).encode("latin-1")


class ResponsePatterns:
    """The patterns for requests that are alike but for their path."""

    def __init__(self) -> None:
        self._patterns: dict[_Form, ResponsePattern] = {}
        self._policy: CachePolicy | None = None
        self._path_conditions: tuple[Callable[[str], object], ...] = ()

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._patterns)

    def learn(self, request: Request, serve: Serve, policy: CachePolicy, hot: HotResponse) -> None:
        """Keep the pattern of a hot response, if the engine has made it from the only stored response under its key."""
        entry, head = serve.entry, serve.response.head
        names = tuple(name for name, _ in head.fields if name in OPEN)
        usual = _is_plain(request, policy) and _is_usual(entry) and _is_whole(serve)
        if not usual or len(set(names)) < len(names):
            return
        opened_lines = tuple((name, _OPEN_VALUE if name in OPEN else value) for name, value in head.fields)
        opened = template_of(request, replace(head, fields=Fields(opened_lines)), serve.handling, policy)
        if opened is None:
            return
        lifetime = freshness_lifetime(entry, policy)
        pattern = ResponsePattern(
            template=opened[0].decode("latin-1").replace("%", "%%").replace(_OPEN_VALUE, "%s"),
            names=names,
            has_ttl=opened[1],
            status=head.status,
            exemption=serve.response.exemption,
            source=lifetime.source,
            lifetime=lifetime.seconds if lifetime.source in _FIXED_LIFETIMES else None,
        )
        values, lines = _divided(entry)
        if not hot.template.startswith(pattern.filled(values)):
            return
        if policy is not self._policy or len(self._patterns) >= MAX_PATTERNS:
            self._patterns.clear()
            self._policy, self._path_conditions = policy, path_conditions(policy)
        self._patterns[self._form(request, entry, lines)] = pattern

    def hot_response(
        self,
        request: Request,
        entry: StoredResponse,
        content: bytes,
        *,
        policy: CachePolicy,
        now: float,
        stamp: Stamp,
        hits: Callable[[str | None], HitCount],
        logged: bool,
    ) -> HotResponse | None:
        """Return the hot response that the engine's decision would lead to, or None if the engine has to be asked.

        Args:
            request: A request of this class.
            entry: The only stored response under its key.
            content: Its body.
            policy: The policy.
            now: The time, in seconds since the epoch.
            stamp: The generation of the primary key.
            hits: Returns what counts the response when it is sent, by its exemption from 203.
            logged: There is an access log.
        """
        if policy is not self._policy or now < policy.freshness.clock_valid_from or not _is_usual(entry):
            return None
        values, lines = _divided(entry)
        pattern = self._patterns.get(self._form(request, entry, lines))
        if pattern is None:
            return None
        seconds = pattern.lifetime
        if seconds is None:
            lifetime = freshness_lifetime(entry, policy)
            if lifetime.source != pattern.source:
                return None
            seconds = lifetime.seconds
        age = current_age(entry, policy, now)
        if age >= seconds:
            return None
        template, rest = joined(pattern.filled(values), content)
        return HotResponse(
            slot=stamp.slot,
            generation=stamp.generation,
            version=version_of(stamp),
            tags=stamp.tags,
            purges=stamp.purges,
            policy=policy,
            entry_id=entry.id,
            valid_until=now + (seconds - age),
            born=now - age,
            lifetime=seconds,
            template=template,
            has_ttl=pattern.has_ttl,
            content=rest,
            length=len(content),
            milliseconds=entry.milliseconds,
            hits=hits(pattern.exemption),
            log_line=access_line(request, pattern.status, len(content), _HIT) if logged else "",
        )

    def _form(self, request: Request, entry: StoredResponse, lines: tuple[object, ...]) -> _Form:
        """Return what the response depends on, beside the open values, the age, and the class of the request."""
        head, target = entry.head, request.target
        conditions = tuple([condition(target) is None for condition in self._path_conditions])
        return lines, conditions, head.status, head.reason, head.version, entry.vary, entry.personal


def _is_plain(request: Request, policy: CachePolicy) -> bool:
    """Return whether the decision about requests of this class depends on no open value."""
    if not policy.shortcuts.response_pattern or request.method != "GET" or request.content_digest:
        return False
    return SELECTING.isdisjoint(request.fields.names())


def _is_usual(entry: StoredResponse) -> bool:
    """Return whether a stored response is whole and as the origin sent it, and its target is spelled as its key."""
    is_whole = entry.method == "GET" and entry.complete_length is None and not entry.first
    return is_whole and not entry.invalid and not entry.scrubbed and entry.target == entry.key


def _is_whole(serve: Serve) -> bool:
    """Return whether the engine serves all of a stored response because it is fresh."""
    response, entry = serve.response, serve.entry
    plain = serve.detail in (None, Detail.HEURISTIC) and serve.background_validation is None and not serve.changes
    has_content = response.head.status not in NO_CONTENT and response.length == entry.length
    # whom a copy for any credential may reach depends on the path
    return plain and has_content and serve.handling.hit and (CREDENTIAL, ANY) not in entry.vary


def _divided(entry: StoredResponse) -> tuple[dict[str, str], tuple[object, ...]]:
    """Return the open values of a stored response by name, and its field lines without these values."""
    length = str(entry.length)
    values: dict[str, str] = {"Content-Length": length}
    lines: list[str | tuple[str, str]] = []
    for line in entry.head.fields.lines:
        name, value = line
        # another Content-Length than that of the body is replaced in responses, so it is not open
        if name in OPEN and (value == length or name not in _LENGTHS):
            values[name] = value
            lines.append(name)
        else:
            lines.append(line)
    return values, tuple(lines)
