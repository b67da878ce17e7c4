"""Recordings: the policy while one is made, and while one is replayed."""

from __future__ import annotations

from dataclasses import replace

from cache.policy.cache_policy import CachePolicy, Recording
from cache.policy.operator_rules import SetCookie
from cache.policy.private_cache import SHARED_CACHE


def recording_policy(policy: CachePolicy, name: str) -> CachePolicy:
    """Return the policy that makes the recording `name`: forward every request, store everything but cookies."""
    policy = _for_one_person(policy)
    return replace(
        policy,
        recording=Recording(name, is_replay=False),
        requests=replace(policy.requests, always_forward=True),
        storing=replace(policy.storing, everything=True, set_cookie=SetCookie.STRIP),
    )


def replaying_policy(policy: CachePolicy, name: str) -> CachePolicy:
    """Return the policy that replays the recording `name`: only its responses answer, whatever their age."""
    policy = _for_one_person(policy)
    return replace(
        policy,
        recording=Recording(name, is_replay=True),
        freshness=replace(policy.freshness, always_fresh=True),
        keying=replace(policy.keying, ignore_vary_star=True),
        network=replace(policy.network, offline=True),
    )


def _for_one_person(policy: CachePolicy) -> CachePolicy:
    """Return the policy for a store of one person: without the rules that keep responses of several users apart."""
    return replace(
        policy,
        private=replace(SHARED_CACHE, secrets=policy.private.secrets),
        keying=replace(policy.keying, ignore_credentials=True, post_rules=(), partition=(), no_vary_search=False),
        storing=replace(policy.storing, captures=1),
    )
