"""The table `[offline]`: what is kept for a time without a network, and used then."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, Strict

from addon.config.cache import Texts
from addon.config.clients import Token
from addon.config.section import Section
from cache.policy.cache_policy import CachePolicy, glob
from cache.policy.private_cache import NOTHING_MORE, Keeping, PostRule, QueryRule

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
        keeping = Keeping(
            private=self.keep_private,
            unfresh=self.keep_unfresh,
            no_store=self.keep_no_store,
            authorized=tuple(map(glob, self.keep_authorized)),
            authorized_for_any=tuple(map(glob, self.keep_authorized_for_any)),
            override=self.override,
        )
        return replace(
            policy,
            scope=(profile or "private") if keeping != NOTHING_MORE or self.posts else "",
            keeping=keeping,
            secrets=frozenset(self.scrub),
            query_rules=tuple(each.rule() for each in self.queries),
            post_rules=tuple(each.rule() for each in self.posts),
        )
