"""How warming reaches the store: through the proxy that runs on it, else through a service of its own."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol
from urllib.parse import urldefrag, urljoin

from addon.config.settings import Settings
from addon.offline.prefetch import MAX_DOCUMENT, Fetched, prefetch
from addon.offline.prefetch_command import arguments_for
from addon.offline.wanted import Document, SourceError, Wanted
from addon.pipeline.content_codings import CodingError, uncoded
from addon.runtime.control import ControlClient, ControlError, running_proxies
from addon.service import Service
from cache.policy.rules import Mode

MAX_REDIRECTS = 5


class Transport(Protocol):
    """Fetches one URL into the store."""

    async def fetch(self, wanted: Wanted, *, read: bool) -> Fetched:
        """Return what came of a fetch. Raises ValueError for what cannot be asked for."""


class ThroughProxy:
    """The way through a running proxy, which fetches into its own store."""

    def __init__(self, proxy: ControlClient) -> None:
        self._proxy = proxy

    async def fetch(self, wanted: Wanted, *, read: bool) -> Fetched:
        """Have the proxy fetch. Raises ValueError for what the proxy does not take, or where it is gone."""
        try:
            return Fetched(**await self._proxy.ask_patiently("fetch", **arguments_for(wanted, read=read)))  # type: ignore[arg-type]  # as `asdict` made it
        except (ControlError, TypeError) as error:
            raise ValueError(str(error)) from None


class OwnService:
    """The way where no proxy runs."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def fetch(self, wanted: Wanted, *, read: bool) -> Fetched:
        """Fetch. Raises ValueError for what cannot be asked for."""
        return await prefetch(self._service.active.current, wanted, read=read)


@asynccontextmanager
async def transport_for(settings: Settings) -> AsyncIterator[Transport]:
    """Open the way to the store of these settings. Raises StoreError, ConfigError, and ControlError."""
    proxies = running_proxies(settings.store.directory)
    if proxies:
        _check_that_it_asks(proxies[0], settings)
        yield ThroughProxy(proxies[0])
        return
    service = Service(settings)
    try:
        yield OwnService(service)
    finally:
        await service.close()


def _check_that_it_asks(proxy: ControlClient, settings: Settings) -> None:
    """Raise ControlError where a proxy asks nobody, whoever wants it to fetch."""
    said = proxy.ask("mode")
    switch = {str(Mode.OFFLINE): "secondhand online", str(Mode.REPLAY): "secondhand replay --stop"}
    if first := switch.get(str(said["mode"])):
        raise ControlError(f"the proxy that runs on {settings.store.directory} asks no origin: {first}, then again")


class Fetching:
    """Fetches on a way, some at a time, and follows redirects."""

    def __init__(self, way: Transport, jobs: int) -> None:
        self._way = way
        self._turn = asyncio.Semaphore(jobs)
        self._read: dict[Wanted, Fetched] = {}

    async def fetch(self, wanted: Wanted) -> Fetched:
        """Return what came of it in the end, after redirects. Never raises for what an origin does."""
        return self._read.get(wanted) or await self._followed(wanted, read=False)

    async def _followed(self, wanted: Wanted, *, read: bool) -> Fetched:
        fetched = await self._once(wanted, read=read)
        for _ in range(MAX_REDIRECTS):
            if fetched.location is None or fetched.problem:
                return fetched
            there = urldefrag(urljoin(fetched.uri, fetched.location)).url
            fetched = await self._once(replace(wanted, uri=there), read=read)
        return replace(fetched, problem=f"more than {MAX_REDIRECTS} redirects") if fetched.location else fetched

    async def _once(self, wanted: Wanted, *, read: bool) -> Fetched:
        async with self._turn:
            try:
                return await self._way.fetch(wanted, read=read)
            except ValueError as error:
                return Fetched(wanted.uri, 0, problem=str(error))

    async def read(self, wanted: Wanted) -> Document:
        """Return a document that other URLs come from, through the cache. Raises SourceError."""
        fetched = await self._followed(wanted, read=True)
        self._read[wanted] = replace(fetched, content=None)
        if fetched.content is None or fetched.status not in (200, 203):
            raise SourceError(f"{wanted.uri}: {fetched.problem or f'the origin says {fetched.status}'}")
        try:
            content = uncoded(b64decode(fetched.content), fetched.coding, MAX_DOCUMENT)
        except CodingError as error:
            raise SourceError(f"{wanted.uri}: {error}") from None
        return Document(fetched.uri, content, fetched.media_type)
