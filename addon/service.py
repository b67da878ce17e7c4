"""The cache of one proxy process, put together from its settings."""

from __future__ import annotations

import logging
import secrets
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from addon.catching_up import CatchingUp
from addon.clock import Clock
from addon.control import ControlServer
from addon.fetcher import Fetcher
from addon.misses import Misses
from addon.modes import Modes
from addon.origin import Origin
from addon.queue import MissQueue
from addon.reach import own_authorities
from addon.relay import Relay
from addon.reply import Reply
from addon.responder import Responder
from addon.settings import Settings
from addon.statistics import Statistics
from addon.stored import StoredResponses
from addon.warm.prefetch import Fetched, prefetch, prefetch_handler
from addon.warm.wanted import Wanted
from cache import engine
from cache.decisions import Refuse
from cache.key import key_of_uri, keys
from cache.messages import Fields, Request
from cache.policy import CachePolicy, Mode
from cache.reasons import NotStored
from cache.stores.base import Store, StoreError
from cache.stores.disk import DiskStore
from cache.stores.memory import MemoryStore, is_of_host
from cache.stores.tiered import TieredStore

logger = logging.getLogger(__name__)

RELEASED = 1_793_000_000.0
"""No right clock is before this: October 2026."""

CREDENTIAL_KEY = "credential.key"
"""The file beside the store that keys the hashes of credentials among Vary values."""


class Service:
    """A store, the way to the origins, and what stands between them."""

    def __init__(self, settings: Settings, clock: Callable[[], float] | None = None) -> None:
        """Open the store. Raises ConfigError for a client list, ValueError for an origin option, of no use."""
        self.settings = settings
        self.is_edge = settings.backend is not None
        self.clock = clock or Clock()
        self.statistics = Statistics()
        self.store, self.store_trouble = open_store(settings, self._lost)
        directory = settings.store.directory if isinstance(self.store, TieredStore) else None
        self.policy = replace(
            settings.policy(),
            instance=secrets.token_hex(4),
            credential_key=credential_key(directory),
            earliest=RELEASED,
        )
        self.stored = StoredResponses(self.store, self.statistics)
        options = settings.origin_options()
        origin = Origin(options, self.clock)
        largest = settings.store.largest_object
        self.fetcher = Fetcher(self.stored, origin, self.policy, self.clock, self.statistics, largest)
        self.modes = Modes(lambda: self.policy, self.go_by, options, settings.cache.modes)
        self.fetcher.links = self.modes.links
        self.responder = Responder(self.fetcher, self.statistics, settings.cache.collapse_timeout)
        self.queue = MissQueue(settings.store.directory) if directory else None
        self.responder.misses = Misses(self.stored, self.queue, remedy(settings))
        self.catching_up = self._catching_up(self.queue) if self.queue and settings.offline.queue else None
        self.relay = Relay()
        handlers = {
            "fetch": prefetch_handler(self),
            "missing": self._missing,
            "mode": self.modes.handle,
            "ping": self._ping,
            "purge": self._purge,
            "stats": self._stats,
        }
        self._control = ControlServer(settings.store.directory, handlers)

    def _lost(self, reason: NotStored, count: int) -> None:
        self.statistics.count(f"not_stored.{reason}", count)

    def listens_at(self, host: str, port: int) -> None:
        """Take requests for where clients reach this proxy for loops (RFC 9110 §7.6.3); an edge is meant by them."""
        if not self.is_edge:
            self.go_by(replace(self.policy, own_authorities=own_authorities(host, port)))

    def refused_tunnel(self, host: str, port: int, fields: Fields) -> Reply | None:
        """Return what a client gets who asks for a tunnel to where this proxy does not go, or None."""
        request = Request("CONNECT", "https", host, port, "/", fields)
        # opening it asks nobody: what may be asked inside is decided there
        policy = replace(self.policy, offline=False, mode=Mode.ONLINE, host_modes=())
        decision = engine.on_request(request, (), policy, self.clock())
        return self.fetcher.replies.refuse(decision) if isinstance(decision, Refuse) else None

    async def start(self) -> None:
        """Listen to mitmproxy on the loopback relay and to the command line on the Unix socket. Raises OSError."""
        await self.relay.start()
        try:
            await self._control.start()
        except OSError as error:
            logger.warning("commands cannot reach this proxy: %s", error)

    def go_by(self, policy: CachePolicy) -> None:
        """Let another policy hold from the next request on."""
        self.policy = self.fetcher.policy = policy
        if self.catching_up:
            self.catching_up.begin()

    def _catching_up(self, queue: MissQueue) -> CatchingUp:
        async def fetch(wanted: Wanted) -> Fetched:
            return await prefetch(self, wanted)

        return CatchingUp(queue, fetch, lambda: self.policy, self.stored)

    async def close(self) -> None:
        """Finish, and let go of everything."""
        await self._control.close()
        await self.modes.close()
        if self.catching_up:
            await self.catching_up.close()
        await self.relay.close()
        await self.responder.close()
        self.stored.close()

    # ---- what the command line may ask

    async def _ping(self, arguments: Mapping[str, object]) -> dict[str, object]:
        return {"arguments": dict(arguments)}

    async def _missing(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        return {"urls": self.responder.misses.missing if self.responder.misses else []}

    async def _stats(self, _arguments: Mapping[str, object]) -> dict[str, object]:
        return dict(self.statistics.snapshot())

    async def _purge(self, arguments: Mapping[str, object]) -> dict[str, object]:
        match dict(arguments):
            case {"url": str(url)}:
                named = keys(key_of_uri(url), self.policy)
                deleted = await self.fetcher.purge(
                    lambda other: other in named, lambda: sum(map(self.store.delete, named))
                )
            case {"host": str(host)}:
                name = host.lower()
                deleted = await self.fetcher.purge(
                    lambda other: is_of_host(other, name), lambda: self.store.delete_host(name)
                )
            case {"all": True}:
                deleted = await self.fetcher.purge(lambda _: True, self.store.clear)
            case _:
                raise ValueError('expected "url", "host" or "all"')
        return {"deleted": deleted}


def remedy(settings: Settings) -> str:
    """Return the command that fetches what was missing, for a proxy with these settings."""
    options = f" --store {shlex.quote(settings.store.path)}" if settings.store.path else ""
    profile = f" --profile {settings.profile}" if settings.profile else ""
    return f"secondhand queue run{options}{profile}"


def open_store(settings: Settings, lost: Callable[[NotStored, int], None]) -> tuple[Store, str | None]:
    """Return the store, and what is wrong if it takes nothing: then answers are served and not stored.

    Args:
        settings: say which store.
        lost: called when responses that had been taken could not be written, on any thread.
    """
    if settings.store.kind == "memory":
        return MemoryStore(settings.store.max_size), None
    try:
        disk = DiskStore(settings.store.directory, settings.store.max_size)
        return TieredStore(disk, settings.memory.store_size, settings.memory.max_object, lost), None
    except StoreError as error:
        return MemoryStore(0), str(error)


def credential_key(directory: Path | None) -> bytes:
    """Return 32 octets: those kept beside the store, made if there are none, or new ones where nothing is kept."""
    if directory is None:
        return secrets.token_bytes(32)
    kept, draft = directory / CREDENTIAL_KEY, directory / f".{CREDENTIAL_KEY}-{secrets.token_hex(4)}"
    try:
        try:
            draft.touch(mode=0o600, exist_ok=False)
            draft.write_bytes(secrets.token_bytes(32))
            with suppress(FileExistsError):
                kept.hardlink_to(draft)  # whole or not at all, and never over another process's
        finally:
            draft.unlink(missing_ok=True)
        return kept.read_bytes()
    except OSError as error:
        logger.warning("copies that vary by credentials will not outlive this process: %s", error)
        return secrets.token_bytes(32)
