"""The active pipeline: that on the proxy's own store, or that on a recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from addon.pipeline.pipeline import Pipeline
from cache.policy.cache_policy import CachePolicy


class ActivePipeline:
    """The pipeline that answers requests, and the changes of its policy while the proxy runs.

    Attributes:
        own: The pipeline on the proxy's own store.
        current: The pipeline that answers now.
    """

    def __init__(self, own: Pipeline) -> None:
        self.own = own
        self.current = own
        self._observers: list[Callable[[], None]] = []

    @property
    def policy(self) -> CachePolicy:
        """The policy in force."""
        return self.current.policy

    def add_observer(self, observer: Callable[[], None]) -> None:
        """Call `observer` after every change of the pipeline, of its store or of its policy."""
        self._observers.append(observer)

    def set_policy(self, policy: CachePolicy) -> None:
        """Use another policy from the next request on."""
        self.current.fetcher.use_policy(policy)
        self.notify()

    def set_policies(self, change: Callable[[CachePolicy], CachePolicy]) -> None:
        """Change the policy in force and the one on the proxy's own store, from the next request on."""
        for pipeline in {self.own, self.current}:
            pipeline.fetcher.use_policy(change(pipeline.policy))
        self.notify()

    def switch_to(self, pipeline: Pipeline) -> None:
        """Answer from another pipeline from now on; it takes over the state of the proxy.

        See `with_state_of`.
        """
        pipeline.fetcher.use_policy(with_state_of(pipeline.policy, self.policy))
        self.current = pipeline
        self.notify()

    def notify(self) -> None:
        """Call the observers; others call this if the own pipeline uses another store from now on."""
        for observer in self._observers:
            observer()


def with_state_of(policy: CachePolicy, held: CachePolicy) -> CachePolicy:
    """Return a policy with what `held` has from commands and from the running proxy, and not from settings.

    That is the modes, what is known about the network, the proxy's addresses and name, its key for credentials, and
    its clock.
    """
    fixed, clock = held.identity, held.freshness
    return replace(
        policy,
        network=replace(held.network, offline=policy.network.offline),
        identity=replace(policy.identity, own_authorities=fixed.own_authorities, instance=fixed.instance),
        keying=replace(policy.keying, credential_key=held.keying.credential_key),
        freshness=replace(policy.freshness, clock=clock.clock, clock_valid_from=clock.clock_valid_from),
    )
