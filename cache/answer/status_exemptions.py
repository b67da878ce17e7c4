"""Client exceptions: clients and kinds of requests that do not work with a 203, and get the 200 instead."""

from __future__ import annotations

from functools import lru_cache

from cache.http.fields import media_type
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import ClientRule


def exemption(request: Request, fields: Fields, policy: CachePolicy) -> str | None:
    """Return the name of the first matching rule, or None; `fields` are those of the response."""
    candidates = _of_user_agent(request.fields.get("user-agent"), policy.presentation.clients)
    return next((rule.name for rule in candidates if _applies(rule, request, fields)), None)


@lru_cache(maxsize=256)
def _of_user_agent(user_agent: str | None, rules: tuple[ClientRule, ...]) -> tuple[ClientRule, ...]:
    """Return the rules that a User-Agent matches. Cached, since few of many rules remain."""
    # without User-Agent no such rule matches: an exception from 203 needs a positive match
    return tuple(
        rule
        for rule in rules
        if rule.user_agent is None or (user_agent is not None and rule.user_agent.search(user_agent))
    )


def _applies(rule: ClientRule, request: Request, fields: Fields) -> bool:
    return (
        (rule.method is None or rule.method == request.method)
        and (rule.path is None or bool(rule.path.search(request.target)))
        and (rule.accept is None or bool(rule.accept.search(request.fields.get("accept") or "")))
        and (not rule.fetch_dest or request.fields.get("sec-fetch-dest") in rule.fetch_dest)
        and (rule.content_type is None or bool(rule.content_type.search(media_type(fields.get("content-type")))))
    )
