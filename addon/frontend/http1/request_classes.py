"""Request classes: requests that are alike but for their path are parsed once.

A client sends the same fields in most of its requests. So the bytes in front of the path and behind it are looked up,
and only the path is checked: one of usual characters is what the parser would have made of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from addon.frontend.gateway.sites import ACME_CHALLENGE
from addon.frontend.http1.request_templates import RequestTemplate
from addon.frontend.http1.response_patterns import ResponsePatterns
from cache.http.client import Client
from cache.http.messages import Request
from cache.policy.site_rules import Effects, RuleTable, SiteRules
from cache.rules.site_requests import changed_target

MAX_CLASSES = 256
"""Classes that are kept; when there are more, all are forgotten."""

_PATH = re.compile(rb"/[0-9A-Za-z\-._~!$&'()*+,;=:@/?]*")
"""A path and query that are their own normal form: without escapes, and without anything that is parsed."""


@dataclass(slots=True, eq=False)
class RequestClass:
    """Requests whose heads differ only in the path. They are persistent, and have no content."""

    request: Request
    """The first of them."""
    before_path: bytes
    """The beginning of the request target: scheme and authority as sent to a forward proxy, else nothing."""
    patterns: ResponsePatterns = field(default_factory=ResponsePatterns)
    """Patterns of the copies that have answered these requests."""
    template: RequestTemplate | None = None
    """The template by which the last miss of them was sent; see `RequestTemplates.is_valid`."""
    rules: SiteRules | None = None
    """The rules of the site that the requests are for; they divide the class by path."""
    by_effects: dict[Effects, RequestClass] = field(default_factory=dict)
    """The classes of the requests about which the rules say the same."""


class RequestClasses:
    """The request classes of one front end."""

    def __init__(self, rules: Callable[[], RuleTable | None] = lambda: None) -> None:
        """Divide classes by the rules of sites that `rules` returns."""
        self._rules = rules
        self._classes: dict[tuple[bytes, bytes], RequestClass] = {}

    def find(self, prefix: bytes, head: bytes, client: Client | None = None) -> tuple[RequestClass, Request] | None:
        """Return the class of a request and the request, or None if the head has to be parsed.

        Args:
            prefix: The prefix of the connection, see `RequestTargets`.
            head: The request head as sent.
            client: Who has sent it, at an edge.
        """
        parts = _divided(head)
        known = self._classes.get((prefix, parts[1])) if parts else None
        if parts is None or known is None or not parts[0].startswith(known.before_path):
            return None
        target = parts[0]
        if not _PATH.fullmatch(target, len(known.before_path)):
            return None
        path = target[len(known.before_path) :].decode("ascii")
        if known.rules is None:
            return known, known.request.with_target(path, client)
        effects, *others = known.rules.all_effects(path)
        divided = known.by_effects.get(effects)
        if divided is None or others:  # others may refuse the request
            return None
        changed = changed_target(path, effects.query) if effects.query else path
        return divided, divided.request.with_target(changed, client)

    def learn(self, prefix: bytes, head: bytes, request: Request) -> RequestClass | None:
        """Return the class of a request that was parsed, is persistent and has no content; None if it has none."""
        parts = _divided(head)
        if parts is None or request.target.startswith(ACME_CHALLENGE):  # other paths may be redirected to https
            return None
        (target, rest), path = parts, request.target.encode("latin-1")
        table = self._rules()
        rules = table.find(request.host) if table is not None else None
        if rules is not None:
            return self._learn_by_rules(prefix, target, rest, request, rules)
        if not (_PATH.fullmatch(path) and target.endswith(path)):
            return None
        if len(self._classes) >= MAX_CLASSES:
            self._classes.clear()
        found = self._classes[prefix, rest] = RequestClass(request, target.removesuffix(path))
        return found

    def _learn_by_rules(
        self, prefix: bytes, target: bytes, rest: bytes, request: Request, rules: SiteRules
    ) -> RequestClass | None:
        """Return the class of a request that rules may have changed; None if it has none."""
        if not _PATH.fullmatch(target):
            return None
        effects = rules.effects(target.decode("ascii"))
        if effects.rate is not None or effects.redirect is not None:
            return None  # each request is counted when it is read; of those that are redirected, one has its own URL
        whole = self._classes.get((prefix, rest))
        if whole is None or whole.rules is not rules:
            if len(self._classes) >= MAX_CLASSES:
                self._classes.clear()
            whole = self._classes[prefix, rest] = RequestClass(request, b"", rules=rules)
        found = whole.by_effects[effects] = RequestClass(request, b"")
        return found

    def forget(self) -> None:
        """Forget all classes: what a request head leads to may have changed."""
        self._classes.clear()


def _divided(head: bytes) -> tuple[bytes, bytes] | None:
    """Return the request target and all that follows it, or None if it is no GET. The head may be malformed."""
    if not head.startswith(b"GET "):
        return None
    target, space, rest = head[4:].partition(b" ")
    return (target, rest) if space else None
