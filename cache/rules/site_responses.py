"""Responses as the rules of a site see them: lifetimes and limits in place of those that the origin gives."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from cache.http.cache_control import ResponseDirectives, response_directives
from cache.http.fields import media_type
from cache.http.messages import Fields, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.site_rules import FieldChange, Override, ResponseRule

SUCCESSES = frozenset({200, 203, 204, 206, 300, 301, 308})
"""Statuses that a rule's `ttl`, `grace` and `stale_if_error` are for, if the rule names none: cacheable by default."""

NEGATIVE = frozenset({404, 405, 410, 414, 451, 501})
"""Statuses that a rule's `negative_ttl` is for, if the rule names none (RFC 9110 §15.1)."""


def directives_for(target: str, response: Response, policy: CachePolicy) -> ResponseDirectives:
    """Return the cache directives that apply to a response: the origin's, as the rules of its site change them.

    `target` is the absolute target URI.
    """
    directives = response_directives(response.fields, policy.targeted_fields)
    if policy.site_rules is None:
        return directives
    rules = rules_for(target, response.status, response.fields, policy)
    return _changed(directives, rules, response.status) if rules else directives


def rules_for(target: str, status: int, fields: Fields, policy: CachePolicy) -> tuple[ResponseRule, ...]:
    """Return the rules for a response, in order. `target` is the absolute target URI."""
    if policy.site_rules is None:
        return ()
    host, path = _place(target)
    site = policy.site_rules.find(host)
    if site is None:
        return ()
    kind = media_type(fields.get("content-type"))
    return tuple([rule for rule in site.effects(path).responses if rule.matches(status, kind)])


@lru_cache(maxsize=4096)
def _place(target: str) -> tuple[str, str]:
    """Return host and path of a target URI. It is a normalised one, so this is much faster than `urlsplit`."""
    authority, _, rest = target.partition("://")[2].partition("/")
    host = authority[1:].partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]
    return host, f"/{rest.partition('?')[0]}"


def bypasses(target: str, response: Response, policy: CachePolicy) -> bool:
    """Return whether a rule says that a response is not stored. `target` is the absolute target URI."""
    return _is_bypassed(rules_for(target, response.status, response.fields, policy))


def _is_bypassed(rules: tuple[ResponseRule, ...]) -> bool:
    return next((rule.bypass for rule in rules if rule.bypass is not None), False)


def overrides(target: str, response: Response, policy: CachePolicy) -> frozenset[Override]:
    """Return what a rule makes ineffective of what an origin says. `target` is the absolute target URI."""
    return _overrides(rules_for(target, response.status, response.fields, policy))


def _overrides(rules: tuple[ResponseRule, ...]) -> frozenset[Override]:
    return next((rule.override for rule in rules if rule.override is not None), frozenset())


def fields_by_rule(fields: Fields, target: str, status: int, policy: CachePolicy) -> Fields:
    """Return response fields as a rule changes them; the same object if no rule changes anything.

    `target` is the absolute target URI.
    """
    rules = rules_for(target, status, fields, policy)
    change = next((rule.response_fields for rule in rules if rule.response_fields is not None), None)
    return fields if change is None else _with_change(fields, change)


@lru_cache(maxsize=512)
def _with_change(fields: Fields, change: FieldChange) -> Fields:
    changed = fields.without(change.remove)
    for name, value in change.set:
        # a field that has this value already is left in its place: moving it would turn a 200 into a 203
        if changed.all(name) != (value,):
            changed = changed.replacing(name, value)
    changed = changed.appending(*change.append)
    return fields if changed.lines == fields.lines else changed


@lru_cache(maxsize=1024)
def _changed(directives: ResponseDirectives, rules: tuple[ResponseRule, ...], status: int) -> ResponseDirectives:
    changed = directives
    lifetime = next((found for rule in rules if (found := _lifetime(rule, status)) is not None), None)
    if lifetime is not None:
        changed = replace(changed, by_rule=lifetime[0], rule=lifetime[1])
    fitting = [rule for rule in rules if rule.statuses or status in SUCCESSES]
    grace = next((rule.grace for rule in fitting if rule.grace is not None), None)
    error = next((rule.stale_if_error for rule in fitting if rule.stale_if_error is not None), None)
    if grace is not None:
        changed = replace(changed, stale_while_revalidate=grace)
    if error is not None:
        changed = replace(changed, stale_if_error=error)
    ignored = _overrides(rules)
    if _is_bypassed(rules):  # a copy from before the rule is not used without validation
        return replace(changed, by_rule=None, no_store=True, must_understand=False)
    return replace(
        changed,
        stale_by_rule=grace is not None or error is not None,
        no_cache=changed.no_cache and Override.NO_CACHE not in ignored,
        no_store=changed.no_store and Override.NO_STORE not in ignored,
        private=changed.private and Override.PRIVATE not in ignored,
        must_revalidate=changed.must_revalidate and Override.MUST_REVALIDATE not in ignored,
        proxy_revalidate=changed.proxy_revalidate and Override.MUST_REVALIDATE not in ignored,
    )


def _lifetime(rule: ResponseRule, status: int) -> tuple[int, str] | None:
    """Return the lifetime in seconds that a rule gives a response, and its source; None if it gives none."""
    if rule.negative_ttl is not None and status in NEGATIVE:
        return rule.negative_ttl, f"{rule.name} negative_ttl"
    if rule.ttl is not None and (rule.statuses or status in SUCCESSES):
        return rule.ttl, f"{rule.name} ttl"
    return None
