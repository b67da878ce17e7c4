"""The cache of one proxy process, put together from its settings."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from addon.config.addresses import own_authorities
from addon.config.settings import Settings
from addon.config.store import FREE_SPACE
from addon.offline.fetch_commands import FetchCommands
from addon.offline.miss_queue import MissQueue
from addon.offline.miss_response import MissResponses, remedy
from addon.offline.modes import Modes
from addon.offline.queue_drain import QueueDrain
from addon.origin.options import OriginOptions
from addon.origin.reachability import Reachability
from addon.pipeline.active_pipeline import ActivePipeline, with_state_of
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.clock_follower import ClockFollower
from addon.pipeline.error_replies import ErrorReplies
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.leased_flights import LeasedFlights
from addon.pipeline.metrics_command import MetricsCommand
from addon.pipeline.origin import Origin
from addon.pipeline.origins import Origins
from addon.pipeline.own_store import START_TIMEOUT, OwnStore
from addon.pipeline.pipeline import Pipeline
from addon.pipeline.purge_command import Purges
from addon.pipeline.purge_log import PurgeLog
from addon.pipeline.reply import Reply
from addon.pipeline.responder import Responder
from addon.pipeline.since_start_commands import SinceStartCommands
from addon.pipeline.size_limit import SizeLimit
from addon.pipeline.store_condition import StoreCondition, StoreState
from addon.pipeline.stored_commands import StoredCommands
from addon.pipeline.too_large import TooLargeResponses
from addon.pipeline.why_command import WhyCommand
from addon.recordings.draining_responder import DrainingResponder
from addon.recordings.switch import RecordingSwitch
from addon.runtime.clock import Clock
from addon.runtime.control import ControlServer, Handler
from addon.runtime.counters import Counters
from addon.runtime.credential_key import credential_key
from addon.runtime.distrust import Distrust
from addon.runtime.listen_address import ListenAddress
from addon.runtime.series.recorder import SeriesRecorder
from addon.runtime.series.series_file import SeriesFile
from addon.runtime.status import Status
from cache import engine
from cache.engine.decisions import Refuse
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import Mode
from cache.policy.reasons import NotStored
from cache.stores.base import ResponseStore

logger = logging.getLogger(__name__)

CLOCK_VALID_FROM = 1_793_000_000.0
"""October 2026, in seconds since the epoch: no correct clock shows an earlier time."""


class Service:
    """Builds the parts of the cache, starts and stops them, and answers control commands."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] | None = None,
        *,
        lasting: bool = True,
        own_socket: bool = True,
        origin: Callable[[OriginOptions], Origin] | None = None,
        lease_socket: Path | None = None,
        store_timeout: float = START_TIMEOUT,
    ) -> None:
        """Open the store.

        Args:
            settings: The operator's settings.
            clock: Returns seconds since the epoch; the machine's clock by default.
            lasting: The proxy outlives a single command (see `remedy`).
            own_socket: Listen to control commands on a socket; the commands of a worker come from its supervisor.
            origin: Returns a way to origins for one pipeline, by its options; our own client by default.
            lease_socket: Where the lease server is that this process shares with others on the same store, if any.
            store_timeout: Seconds after which it begins without a store that is not open yet.

        Raises:
            ConfigError: the client list is invalid.
            ValueError: an option about origins is invalid.
        """
        self.settings = settings
        self.is_edge = settings.is_edge
        self.clock = clock or Clock()
        self.counters = Counters()
        self.distrust = Distrust()
        self._lasting = lasting
        self.origins = Origins(settings.origin_options(), self.clock, origin)
        self.own_store = OwnStore(settings.store, settings.memory, self._count_lost)
        store, directory = self.own_store.first(store_timeout), self.own_store.directory
        self.queue = MissQueue(settings.store.directory) if directory else None
        self.too_large = TooLargeResponses(directory)
        self.reachability = Reachability(self._set_unreachable, self.clock)
        policy = settings.policy()
        policy = replace(
            policy,
            identity=replace(policy.identity, instance=secrets.token_hex(4)),
            keying=replace(policy.keying, credential_key=credential_key(None if self.store_problem else directory)),
            freshness=replace(policy.freshness, clock_valid_from=CLOCK_VALID_FROM),
        )
        own = self._make_pipeline(store, policy, Responder, self.queue, self.own_store.condition)
        self.lease_client = self.own_store.leases(lease_socket)
        if self.lease_client is not None:
            fetch, limit = own.fetcher, settings.cache.collapse_timeout
            fetch.leases = LeasedFlights(self.lease_client, own.store, fetch.single_flight, self.clock, limit)
        self.own_store.note_stored_in(own.store)
        self.own_store.count_in(self.counters)
        self.active = ActivePipeline(own)
        self.counters.add_source(
            lambda: self.counters.count("evicted", self.own_store.new_evictions(self.active.own.store.sync_store))
        )
        self.metrics = MetricsCommand(self.active, self.own_store, self.counters, lambda: self.origins.sites)
        self.clock_follower: ClockFollower | None = None
        if isinstance(self.clock, Clock):
            self.clock_follower = ClockFollower(self.clock, self.active, self.reachability.forget)
            self.active.set_policies(self.clock_follower.noted_in)
        self.recordings = RecordingSwitch(settings, self.active, self._make_recording_pipeline)
        self.modes = Modes(self.active, self.reachability, self.recordings.stop, settings.cache.modes)
        self.queue_drain: QueueDrain | None = None
        if self.queue and settings.offline.queue:
            self.queue_drain = QueueDrain(self.queue, self.active)
            self.active.add_observer(self.queue_drain.start)
        self._purge_log = PurgeLog(settings.purge.log_file(settings.store.directory), self.clock)
        self.purges = Purges(own, self.own_store, lambda: [site.hosts for site in self.settings.sites], self._purge_log)
        self._listen_address = ListenAddress(self.is_edge)
        self.why = WhyCommand(self.active)
        since_start = SinceStartCommands(
            self.clock(),
            self.counters,
            active=self.active,
            own_store=self.own_store,
            too_large=self.too_large,
            distrust=self.distrust,
            reachability=self.reachability,
        )
        self.status = Status()
        self.status.add("sites", self.origins.described)
        self.status.add("admin", lambda: settings.admin.place)
        self.status.add("mode", self.modes.described)
        self.status.add("store", self.own_store.described)
        self.commands: dict[str, Handler] = {
            "address": self._listen_address.handle,
            "commit": self._commit,
            "metrics": self.metrics.handle,
            "origin-times": self.metrics.handle_origin_times,
            "mode": self.modes.handle,
            "ping": self._ping,
            "sites": self.origins.handle,
            "purge": self.purges.handle,
            "status": self.status.handle,
            "store": self._store_condition,
            "why": self.why.handle,
            **FetchCommands(self.active, self.queue).handlers(),
            **since_start.handlers(),
            **StoredCommands(own, self.clock).handlers(),
            **self.recordings.handlers(),
        }
        self._control = ControlServer(settings.store.directory, self.commands) if own_socket else None
        self._series: SeriesRecorder | None = None
        if own_socket:  # of workers, their supervisor keeps the series
            self._series = SeriesRecorder(SeriesFile(directory), since_start.counted, self.clock)
            self.commands["series"] = self._series.handle

    def _make_pipeline(
        self,
        store: ResponseStore,
        policy: CachePolicy,
        responder: type[Responder],
        queue: MissQueue | None,
        condition: StoreCondition | None = None,
    ) -> Pipeline:
        async_store = AsyncStore(store, self.counters, condition)
        fetcher = Fetcher(
            store=async_store,
            origin=self.origins.way(),
            policy=policy,
            clock=self.clock,
            counters=self.counters,
            size_limit=self._size_limit(async_store),
            reachability=self.reachability,
        )
        misses = MissResponses(async_store, queue, self._remedy, fetcher.size_limit)
        return Pipeline(
            async_store, fetcher, responder(fetcher, self.counters, self.settings.cache.collapse_timeout, misses)
        )

    def _size_limit(self, store: AsyncStore) -> SizeLimit:
        settings = self.settings.store
        free = settings.max_object == FREE_SPACE
        return SizeLimit(settings.largest_object, self.too_large, store, up_to_free_space=free)

    def _make_recording_pipeline(self, store: ResponseStore, policy: CachePolicy) -> Pipeline:
        # a miss while a recording is replayed must not be fetched later, so there is no queue
        return self._make_pipeline(store, policy, DrainingResponder, None)

    @property
    def errors(self) -> ErrorReplies:
        """The error responses of the pipeline that answers now."""
        return self.active.current.fetcher.errors

    @property
    def policy(self) -> CachePolicy:
        """The policy in force."""
        return self.active.policy

    @property
    def store(self) -> ResponseStore:
        """The store that answers now."""
        return self.active.current.store.sync_store

    @property
    def control_socket(self) -> Path | None:
        """The path of the control socket, or None while there is none."""
        return self._control.path if self._control else None

    @property
    def store_problem(self) -> str | None:
        """The reason why there is no store at the moment, or None."""
        condition = self.own_store.condition
        return condition.reason if condition.state is StoreState.CLOSED else None

    def _store_replaced(self) -> None:
        """Go on with another store, perhaps in a new directory with another key for credentials, or in a new state."""
        if self.store_problem is None:
            own = self.active.own
            keying = replace(own.policy.keying, credential_key=credential_key(self.own_store.directory))
            network = replace(own.policy.network, store_away=self.own_store.is_away)
            own.fetcher.use_policy(replace(own.policy, keying=keying, network=network))
        self.active.notify()

    def _remedy(self, host: str) -> str:
        return remedy(self.settings, self.policy, host, lasting=self._lasting)

    def _count_lost(self, reason: NotStored, count: int) -> None:
        self.counters.count(f"not_stored.{reason}", count)

    def _set_unreachable(self, origins: frozenset[str]) -> None:
        policy = self.policy
        self.active.set_policy(replace(policy, network=replace(policy.network, unreachable=origins)))

    def listens_at(self, host: str, port: int) -> None:
        """Treat requests to our own listener as loops (RFC 9110 §7.6.3), except in edge mode."""
        self._listen_address.set(host, port)
        if not self.is_edge:
            identity = replace(self.policy.identity, own_authorities=own_authorities(host, port))
            self.active.set_policy(replace(self.policy, identity=identity))

    def reload(self, settings: Settings) -> None:
        """Use other settings from the next request on. What commands have set stays.

        Requests under way end under the settings that they began with.

        Raises:
            ConfigError: the client list, or the path of the log of purges, is invalid.
            ValueError: an option about origins is invalid. In both cases nothing has changed.
        """
        policy, options = settings.policy(), settings.origin_options()
        purge_log = settings.purge.log_file(settings.store.directory)
        self.origins.use(options, self.active)
        for pipeline in {self.active.own, self.active.current}:
            pipeline.responder.collapse_timeout = settings.cache.collapse_timeout
        old, self.settings = self.settings, settings
        own = self.active.own.fetcher
        own.use_policy(with_state_of(policy, own.policy))
        if own.leases is not None:
            own.leases.limit = settings.cache.collapse_timeout
        self._purge_log.use(purge_log)
        self.recordings.reload(settings)
        self.modes.reload(old.cache, settings.cache)
        self.active.notify()

    async def drain(self) -> None:
        """Wait until the responses that are being stored are complete."""
        for pipeline in {self.active.own, self.active.current}:
            await pipeline.fetcher.fills.settled()

    def refused_tunnel(self, host: str, port: int, fields: Fields, *, opened: bool = True) -> Reply | None:
        """Return the reply to a client that asks for a tunnel which this proxy does not open, or None.

        `opened` means that this proxy sees the requests inside. The modes are then applied to those requests: the
        tunnel itself asks no origin. Any other tunnel is tried, even if its origin is left alone: a trial of its own
        would not be noticed.
        """
        policy = self.policy.leaving_none_alone()
        if opened:
            network = replace(policy.network, offline=False, mode=Mode.ONLINE, host_modes=())
            policy = replace(policy, network=network, recording=None)
        request = Request("CONNECT", "https", host, port, target="/", fields=fields)
        decision = engine.on_request(request, (), policy, self.clock())
        return self.errors.refuse(decision) if isinstance(decision, Refuse) else None

    async def start(self) -> None:
        """Start the recording that the settings name, and listen to control commands.

        Raises:
            StoreError: the recording cannot be used.
        """
        if self.clock_follower:
            self.clock_follower.start()
        self.own_store.start(self.active.own.store, self._store_replaced)
        if self.own_store.is_away:
            self._store_replaced()
        if self.lease_client:
            await self.lease_client.start()
        if doing := self.settings.recordings.doing:
            await self.recordings.start(*doing)
        self.origins.start_checks(self.active)
        self.metrics.lag.start()
        if self._series:
            self._series.start()
        if self._control:
            await self._control.start()

    async def close(self) -> None:
        """Stop everything, and close the store."""
        self.metrics.lag.close()
        if self._series:
            await self._series.close()
        if self.clock_follower:
            self.clock_follower.close()
        if self._control:
            await self._control.close()
        await self.origins.close()
        await self.own_store.close()
        if self.queue_drain:
            await self.queue_drain.close()
        await self.recordings.close()
        try:
            await self.active.own.store.run(self.too_large.save)
        except OSError as error:
            logger.warning("the responses that were too large to store could not be noted: %s", error)
        await self.active.own.close()
        if self.lease_client:
            await self.lease_client.close()

    # ---- control commands

    async def _ping(self, arguments: Mapping[str, object]) -> dict[str, object]:
        return {"arguments": dict(arguments)}

    async def _commit(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        """Write what was stored so far. Return whether other processes have the same store."""
        store = self.active.own.store
        await store.run(store.sync_store.commit)
        return {"is_shared": self.own_store.directory is not None}

    async def _store_condition(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        return dict(self.own_store.condition.described())
