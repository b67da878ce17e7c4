"""The table `[offline]`: what is kept for a time without a network, and used then."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, Strict

from addon.config.cache import Texts
from addon.config.clients import Token
from addon.config.section import Section
from cache.policy.cache_policy import CachePolicy
from cache.policy.private_cache import PrivateCache
from cache.policy.rules import PostRule, QueryRule, glob

# a name of a secret is found in any case of its letters
Names = Annotated[tuple[Annotated[Token, AfterValidator(str.lower)], ...], Strict(strict=False)]


class Query(Section):
    """One `[[offline.queries]]` table."""

    drop: Texts
    host: str = "*"
    path: str = "*"

    def rule(self) -> QueryRule:
        """Return the rule as the cache takes it."""
        return QueryRule(glob(self.host), glob(self.path), tuple(map(glob, self.drop)))


class Post(Section):
    """One `[[offline.posts]]` table."""

    path: str
    host: str = "*"
    content_type: str = "*"

    def rule(self) -> PostRule:
        """Return the rule as the cache takes it."""
        return PostRule(glob(self.host), glob(self.path), glob(self.content_type))


class OfflineSettings(Section):
    """What one user's cache keeps beyond what the rules of caching allow."""

    queue: bool = False
    keep_private: bool = False
    keep_unfresh: bool = False
    keep_no_store: bool = False
    keep_authorized: Texts = ()
    keep_authorized_for_any: Texts = ()
    scrub: Names = ()
    override: bool = False
    queries: Annotated[tuple[Query, ...], Strict(strict=False)] = ()
    posts: Annotated[tuple[Post, ...], Strict(strict=False)] = ()

    def applied(self, policy: CachePolicy, profile: str) -> CachePolicy:
        """Return a policy that goes by this; what it stores is seen by no policy without the same profile."""
        private = PrivateCache(
            secrets=frozenset(self.scrub),
            keep_private=self.keep_private,
            keep_unfresh=self.keep_unfresh,
            keep_no_store=self.keep_no_store,
            keep_authorized=tuple(map(glob, self.keep_authorized)),
            keep_authorized_for_any=tuple(map(glob, self.keep_authorized_for_any)),
            override_offline=self.override,
        )
        scope = (profile or "private") if private.relaxes_rules or self.posts else ""
        rules = tuple(each.rule() for each in self.queries), tuple(each.rule() for each in self.posts)
        return replace(
            policy,
            private=replace(private, scope=scope),
            keying=replace(policy.keying, query_rules=rules[0], post_rules=rules[1]),
        )
