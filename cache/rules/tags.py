"""Cache tags: names that an origin, or a rule of a site, gives to a response so that it can be purged by them.

The tags of a stored response are one text with a line for each tag. Most responses have none, some have hundreds, and
nothing looks at them before there is a purge.
"""

from __future__ import annotations

import re
from functools import lru_cache

from cache.http.messages import Fields, Response
from cache.policy.cache_policy import TAG_FIELDS, CachePolicy
from cache.rules.groups import groups
from cache.rules.site_responses import rules_for

GROUPS_FIELD = "cache-groups"
"""The field of RFC 9875: a List of Strings. It is for all caches, so clients get it."""

MAX_TAGS = 4096
"""Tags of one response. One with more is not stored: it could not be purged by all of them."""

MAX_TAG = 1024
"""Characters of one tag, as at Fastly and Cloudflare."""

_SEPARATORS = re.compile(r"[\s,]+")


def names_in(text: str) -> tuple[str, ...]:
    """Return the tags in the value of a field, separated by commas or spaces, each once."""
    return tuple(dict.fromkeys(name for name in _SEPARATORS.split(text) if name))


def tags_of_response(target: str, head: Response, policy: CachePolicy) -> str:
    """Return the tags of a response, those of its fields and those of rules, a line for each.

    `target` is the absolute target URI.
    """
    by_field = _tags_in(head.fields, policy.storing.tag_fields)
    rules = rules_for(target, head.status, head.fields, policy)
    by_rule = next((rule.tags for rule in rules if rule.tags is not None), ())
    return "\n".join(dict.fromkeys([*by_field, *by_rule])) if by_rule else "\n".join(by_field)


def tags_in(fields: Fields) -> str:
    """Return the tags in the usual fields of a response, a line for each."""
    return "\n".join(_tags_in(fields, TAG_FIELDS))


def has_tags_by_rule(target: str, head: Response, policy: CachePolicy) -> bool:
    """Return whether a rule gives tags to a response. `target` is the absolute target URI."""
    return any(rule.tags is not None for rule in rules_for(target, head.status, head.fields, policy))


def has_too_many(fields: Fields, policy: CachePolicy) -> bool:
    """Return whether a response has more tags, or longer ones, than are kept."""
    tags = _tags_in(fields, policy.storing.tag_fields)
    return len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG for tag in tags)


@lru_cache(maxsize=512)
def _tags_in(fields: Fields, names: tuple[str, ...]) -> tuple[str, ...]:
    if fields.names().isdisjoint(names):
        return ()
    listed = [tag for name in names if name != GROUPS_FIELD for line in fields.all(name) for tag in names_in(line)]
    grouped = sorted(groups(fields)) if GROUPS_FIELD in names else ()
    return tuple(dict.fromkeys([*listed, *grouped]))
