"""The cache of one proxy process, put together from its settings."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from addon.clock import Clock
from addon.control import ControlServer
from addon.fetcher import Fetcher
from addon.origin import Origin
from addon.recordings.switch import Switch
from addon.relay import Relay
from addon.responder import Responder
from addon.settings import Settings
from addon.statistics import Statistics
from addon.stored import StoredResponses
from addon.warm.prefetch import prefetch_handler
from cache.key import key_of_uri
from cache.policy import CachePolicy
from cache.stores.base import Store, StoreError
from cache.stores.disk import DiskStore
from cache.stores.memory import MemoryStore, is_of_host

logger = logging.getLogger(__name__)

RELEASED = 1_793_000_000.0
"""No right clock is before this: October 2026."""

CREDENTIAL_KEY = "credential.key"
"""The file beside the store that keys the hashes of credentials among Vary values."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A store, and what answers from it and fills it by one policy."""

    stored: StoredResponses
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

    def __init__(self, settings: Settings, clock: Callable[[], float] | None = None) -> None:
        """Open the store. Raises ConfigError for a client list, ValueError for an origin option, of no use."""
        self.settings = settings
        self.is_edge = settings.backend is not None
        self.clock = clock or Clock()
        self.statistics = Statistics()
        store, self.store_trouble = open_store(settings)
        directory = settings.store.directory if isinstance(store, DiskStore) else None
        policy = replace(
            settings.policy(),
            instance=secrets.token_hex(4),
            credential_key=credential_key(directory),
            earliest=RELEASED,
        )
        self.home = self.lane_on(store, policy)
        """The lane on the service's own store."""
        self.take(self.home)
        self.relay = Relay()
        self.recordings = Switch(self)
        handlers = {"fetch": prefetch_handler(self), "ping": self._ping, "purge": self._purge, "stats": self._stats}
        self._control = ControlServer(settings.store.directory, handlers | self.recordings.handlers())

    def lane_on(self, store: Store, policy: CachePolicy) -> Lane:
        """Return a lane on a store. Raises ValueError for an origin option of no use."""
        stored = StoredResponses(store, self.statistics)
        origin = Origin(self.settings.origin_options(), self.clock)
        largest = self.settings.store.largest_object
        fetcher = Fetcher(stored, origin, policy, self.clock, self.statistics, largest)
        return Lane(stored, fetcher, Responder(fetcher, self.statistics, self.settings.cache.collapse_timeout))

    def take(self, lane: Lane) -> None:
        """Answer by this lane from now on."""
        self.lane = lane
        self.store, self.stored, self.policy = lane.stored.store, lane.stored, lane.policy
        self.fetcher, self.responder = lane.fetcher, lane.responder

    async def start(self) -> None:
        """Listen to mitmproxy on the loopback relay and to the command line on the Unix socket.

        Raises:
            OSError: there is no loopback port.
            StoreError: the recording that the settings name cannot be used.
        """
        await self.relay.start()
        if doing := self.settings.recordings.doing:
            await self.recordings.start(*doing)
        try:
            await self._control.start()
        except OSError as error:
            logger.warning("commands cannot reach this proxy: %s", error)

    async def close(self) -> None:
        """Finish, and let go of everything."""
        await self._control.close()
        await self.relay.close()
        await self.recordings.stop()
        await self.home.close()

    # ---- what the command line may ask

    async def _ping(self, arguments: Mapping[str, object]) -> dict[str, object]:
        return {"arguments": dict(arguments)}

    async def _stats(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        return dict(self.statistics.snapshot())

    async def _purge(self, arguments: Mapping[str, object]) -> dict[str, object]:
        # never a recording's: what is pinned goes with its recording
        fetcher, store = self.home.fetcher, self.home.stored.store
        match dict(arguments):
            case {"url": str(url)}:
                key = key_of_uri(url)
                deleted = await fetcher.purge(lambda other: other == key, lambda: store.delete(key))
            case {"host": str(host)}:
                name = host.lower()
                deleted = await fetcher.purge(lambda other: is_of_host(other, name), lambda: store.delete_host(name))
            case {"all": True}:
                deleted = await fetcher.purge(lambda _: True, store.clear)
            case _:
                raise ValueError('expected "url", "host" or "all"')
        return {"deleted": deleted}


def open_store(settings: Settings) -> tuple[Store, str | None]:
    """Return the store, and what is wrong if it takes nothing: then answers are served and not stored."""
    if settings.store.kind == "memory":
        return MemoryStore(settings.store.max_size, settings.store.captures), None
    try:
        return DiskStore(settings.store.directory, settings.store.max_size, captures=settings.store.captures), None
    except StoreError as error:
        return MemoryStore(0), str(error)


def credential_key(directory: Path | None) -> bytes:
    """Return 32 octets: those kept beside the store, made if there are none, or new ones where nothing is kept."""
    if directory is None:
        return secrets.token_bytes(32)
    kept, draft = directory / CREDENTIAL_KEY, directory / f".{CREDENTIAL_KEY}-{secrets.token_hex(4)}"
    try:
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_bytes(secrets.token_bytes(32))
        with suppress(FileExistsError):
            kept.hardlink_to(draft)  # whole or not at all, and never over another process's
        draft.unlink()
        return kept.read_bytes()
    except OSError as error:
        logger.warning("copies that vary by credentials will not outlive this process: %s", error)
        return secrets.token_bytes(32)
