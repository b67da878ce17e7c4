"""The cache of one proxy process, put together from its settings."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from addon.config.addresses import own_authorities
from addon.config.settings import Settings
from addon.frontend.mitm.loopback import LoopbackServer
from addon.offline.miss_queue import MissQueue
from addon.offline.miss_response import MissResponses, remedy
from addon.offline.modes import Modes
from addon.offline.prefetch import Fetched, prefetch
from addon.offline.prefetch_command import prefetch_handler
from addon.offline.queue_drain import QueueDrain
from addon.offline.wanted import Wanted
from addon.origin import OriginClient
from addon.pipeline.async_store import AsyncStore
from addon.pipeline.fetcher import Fetcher
from addon.pipeline.reply import Reply
from addon.pipeline.responder import Responder
from addon.recordings.switch import RecordingSwitch
from addon.runtime.clock import Clock
from addon.runtime.control import ControlServer
from addon.runtime.counters import Counters
from addon.runtime.credential_key import credential_key
from addon.runtime.listen_address import ListenAddress
from cache import engine
from cache.engine.decisions import Refuse
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy, Mode
from cache.policy.reasons import NotStored
from cache.rules.key import key_of_uri, keys
from cache.stores.base import ResponseStore, StoreError
from cache.stores.disk.store import DiskStore
from cache.stores.memory import MemoryStore, is_of_host
from cache.stores.tiered.store import TieredStore

logger = logging.getLogger(__name__)

RELEASED = 1_793_000_000.0
"""No right clock is before this: October 2026."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A store, and what answers from it and fills it by one policy."""

    stored: AsyncStore
    fetcher: Fetcher
    responder: Responder

    @property
    def policy(self) -> CachePolicy:
        """What it goes by."""
        return self.fetcher.policy

    async def close(self) -> None:
        """Finish, and close the store."""
        await self.responder.close()
        self.stored.close()


class Service:
    """A store, the way to the origins, and what stands between them."""

    def __init__(self, settings: Settings, clock: Callable[[], float] | None = None, *, lasting: bool = True) -> None:
        """Open the store; `lasting` as in `remedy`.

        Raises ConfigError for a client list, ValueError for an origin option, of no use.
        """
        self.settings, self._lasting = settings, lasting
        self.is_edge = settings.backend is not None
        self.clock = clock or Clock()
        self.counters = Counters()
        store, self.store_trouble = open_store(settings, self._lost)
        directory = settings.store.directory if isinstance(store, TieredStore) else None
        self.policy = replace(
            settings.policy(),
            instance=secrets.token_hex(4),
            credential_key=credential_key(directory),
            earliest=RELEASED,
        )
        options, hosts = settings.origin_options(), settings.cache.modes
        self.modes = Modes(lambda: self.policy, self.go_by, options, hosts, lambda: self.recordings.stop())
        self.taken: Callable[[], None] = lambda: None
        """Called when another lane is taken."""
        self.queue = MissQueue(settings.store.directory) if directory else None
        self.home = self.lane_on(store, self.policy, self.queue)
        """The lane on the service's own store."""
        self.take(self.home)
        self.recordings = RecordingSwitch(self)
        self.queue_drain = self._queue_drain(self.queue) if self.queue and settings.offline.queue else None
        self.loopback = LoopbackServer()
        self._listen_address = ListenAddress(self.is_edge)
        handlers = {
            "address": self._listen_address.handle,
            "fetch": prefetch_handler(self),
            "missing": self._missing,
            "mode": self.modes.handle,
            "ping": self._ping,
            "purge": self._purge,
            "stats": self._stats,
        }
        self._control = ControlServer(settings.store.directory, handlers | self.recordings.handlers())

    def lane_on(
        self,
        store: ResponseStore,
        policy: CachePolicy,
        queue: MissQueue | None = None,
        responder: Callable[[Fetcher, Counters, float], Responder] = Responder,
    ) -> Lane:
        """Return a lane on a store, with that kind of `responder`; what is missing in it goes to `queue`.

        Raises:
            ValueError: an origin option is of no use.
        """
        stored = AsyncStore(store, self.counters)
        origin = OriginClient(self.settings.origin_options(), self.clock)
        largest = self.settings.store.largest_object
        fetcher = Fetcher(stored, origin, policy, self.clock, self.counters, largest)
        fetcher.reachability = self.modes.reachability
        answering = responder(fetcher, self.counters, self.settings.cache.collapse_timeout)
        # what a recording has not is nothing to be fetched later
        answering.misses = MissResponses(stored, queue, self._remedy)
        return Lane(stored, fetcher, answering)

    def take(self, lane: Lane) -> None:
        """Answer by this lane from now on, with what the proxy has learnt while it ran."""
        held = self.policy
        lane.fetcher.policy = replace(
            lane.policy,
            mode=held.mode,
            host_modes=held.host_modes,
            unreachable=held.unreachable,
            own_authorities=held.own_authorities,
        )
        self.lane = lane
        self.store, self.stored, self.policy = lane.stored.store, lane.stored, lane.policy
        self.fetcher, self.responder = lane.fetcher, lane.responder
        self.taken()

    def _remedy(self, host: str) -> str:
        return remedy(self.settings, self.policy, host, lasting=self._lasting)

    def _lost(self, reason: NotStored, count: int) -> None:
        self.counters.count(f"not_stored.{reason}", count)

    def listens_at(self, host: str, port: int) -> None:
        """Take requests for where clients reach this proxy for loops (RFC 9110 §7.6.3); an edge is meant by them."""
        self._listen_address.host, self._listen_address.port = host, port
        if not self.is_edge:
            self.go_by(replace(self.policy, own_authorities=own_authorities(host, port)))

    def refused_tunnel(self, host: str, port: int, fields: Fields, *, opened: bool = True) -> Reply | None:
        """Return what a client gets who asks for a tunnel to where this proxy does not go, or None.

        `opened` says that what goes through it can be seen: to open it asks nobody, and what may be asked inside is
        decided there.
        """
        request = Request("CONNECT", "https", host, port, "/", fields)
        policy = self.policy
        if opened:
            policy = replace(policy, offline=False, mode=Mode.ONLINE, host_modes=(), replay="")
        decision = engine.on_request(request, (), policy, self.clock())
        return self.fetcher.reply_builder.refuse(decision) if isinstance(decision, Refuse) else None

    async def start(self) -> None:
        """Listen to mitmproxy on the loopback relay and to the command line on the Unix socket.

        Raises:
            OSError: there is no loopback port.
            StoreError: the recording that the settings name cannot be used.
        """
        await self.loopback.start()
        if doing := self.settings.recordings.doing:
            await self.recordings.start(*doing)
        try:
            await self._control.start()
        except OSError as error:
            logger.warning("commands cannot reach this proxy: %s", error)

    def go_by(self, policy: CachePolicy) -> None:
        """Let another policy hold from the next request on."""
        self.policy = self.fetcher.policy = policy
        if self.queue_drain:
            self.queue_drain.begin()

    def _queue_drain(self, queue: MissQueue) -> QueueDrain:
        async def fetch(wanted: Wanted) -> Fetched:
            return await prefetch(self, wanted)

        return QueueDrain(queue, fetch, lambda: self.policy, self.home.stored)

    async def close(self) -> None:
        """Finish, and let go of everything."""
        await self._control.close()
        await self.modes.close()
        if self.queue_drain:
            await self.queue_drain.close()
        await self.loopback.close()
        await self.recordings.close()
        await self.home.close()

    # ---- what the command line may ask

    async def _ping(self, arguments: Mapping[str, object]) -> dict[str, object]:
        return {"arguments": dict(arguments)}

    async def _missing(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        return {"urls": self.responder.misses.missing if self.responder.misses else []}

    async def _stats(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        return dict(self.counters.snapshot())

    async def _purge(self, arguments: Mapping[str, object]) -> dict[str, object]:
        # never a recording's: what is pinned goes with its recording
        fetcher, store = self.home.fetcher, self.home.stored.store
        match dict(arguments):
            case {"url": str(url)}:
                named = keys(key_of_uri(url), self.home.policy)
                deleted = await fetcher.purge(lambda other: other in named, lambda: sum(map(store.delete, named)))
            case {"host": str(host)}:
                name = host.lower()
                deleted = await fetcher.purge(lambda other: is_of_host(other, name), lambda: store.delete_host(name))
            case {"all": True}:
                deleted = await fetcher.purge(lambda _: True, store.clear)
            case _:
                raise ValueError('expected "url", "host" or "all"')
        return {"deleted": deleted}


def open_store(settings: Settings, lost: Callable[[NotStored, int], None]) -> tuple[ResponseStore, str | None]:
    """Return the store, and what is wrong if it takes nothing: then answers are served and not stored.

    Args:
        settings: say which store.
        lost: called when responses that had been taken could not be written, on any thread.
    """
    if settings.store.kind == "memory":
        return MemoryStore(settings.store.max_size, settings.store.captures), None
    try:
        disk = DiskStore(settings.store.directory, settings.store.max_size, captures=settings.store.captures)
        return TieredStore(disk, settings.memory.store_size, settings.memory.max_object, lost), None
    except StoreError as error:
        logger.warning("no store: %s; answers are served and not stored", error)
        return MemoryStore(0), str(error)
