"""The table `[offline]`: which responses are stored for use without a network, and how they are used then."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Strict

from addon.config.model import LowerCaseTokens, Section, Strings
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import PostRule, QueryRule, glob
from cache.policy.private_cache import PrivateCache


class QuerySettings(Section):
    """One `[[offline.queries]]` table."""

    drop: Strings
    host: str = "*"
    path: str = "*"

    def rule(self) -> QueryRule:
        """Return the rule in the form that the cache policy has."""
        return QueryRule(glob(self.host), glob(self.path), tuple(map(glob, self.drop)))


class PostSettings(Section):
    """One `[[offline.posts]]` or `[[replay.post]]` table."""

    path: str
    host: str = "*"
    content_type: str = "*"

    def rule(self) -> PostRule:
        """Return the rule in the form that the cache policy has."""
        return PostRule(glob(self.host), glob(self.path), glob(self.content_type))


class OfflineSettings(Section):
    """The table `[offline]`: what a cache for one user stores beyond the rules of RFC 9111."""

    queue: bool = False
    keep_private: bool = False
    keep_unfresh: bool = False
    keep_no_store: bool = False
    keep_authorized: Strings = ()
    keep_authorized_for_any: Strings = ()
    scrub: LowerCaseTokens = ()  # names of secrets match in upper and lower case
    keep_preflights: bool = False
    override: bool = False
    queries: Annotated[tuple[QuerySettings, ...], Strict(strict=False)] = ()
    posts: Annotated[tuple[PostSettings, ...], Strict(strict=False)] = ()

    def applied(self, policy: CachePolicy, profile: str) -> CachePolicy:
        """Return a policy with these settings. Only policies of the same profile see the responses that it stores."""
        private = PrivateCache(
            secrets=frozenset(self.scrub),
            keep_private=self.keep_private,
            keep_unfresh=self.keep_unfresh,
            keep_no_store=self.keep_no_store,
            keep_authorized=tuple(map(glob, self.keep_authorized)),
            keep_authorized_for_any=tuple(map(glob, self.keep_authorized_for_any)),
            keep_preflights=self.keep_preflights,
            override_offline=self.override,
        )
        scope = (profile or "private") if private.relaxes_rules or self.posts else ""
        rules = tuple(each.rule() for each in self.queries), tuple(each.rule() for each in self.posts)
        return replace(
            policy,
            private=replace(private, scope=scope),
            keying=replace(policy.keying, query_rules=rules[0], post_rules=rules[1]),
        )
