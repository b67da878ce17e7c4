"""Clients and kinds of request that were measured to break on a 203."""

from __future__ import annotations

from cache.fields import media_type
from cache.messages import Fields, Request
from cache.policy import CachePolicy, ClientRule


def exemption(request: Request, fields: Fields, policy: CachePolicy) -> str | None:
    """Return the name of the first rule whose client breaks on a 203, or None; `fields` are the response's."""
    return next((rule.name for rule in policy.clients if _breaks(rule, request, fields)), None)


def _breaks(rule: ClientRule, request: Request, fields: Fields) -> bool:
    user_agent = request.fields.get("user-agent")
    return (
        (rule.method is None or rule.method == request.method)
        # no User-Agent is no match: a 203 is the rule, and an exception needs a positive match
        and (rule.user_agent is None or (user_agent is not None and bool(rule.user_agent.search(user_agent))))
        and (rule.path is None or bool(rule.path.search(request.target)))
        and (rule.accept is None or bool(rule.accept.search(request.fields.get("accept") or "")))
        and (not rule.fetch_dest or request.fields.get("sec-fetch-dest") in rule.fetch_dest)
        and (rule.content_type is None or bool(rule.content_type.search(media_type(fields.get("content-type")))))
    )
