"""Fetches URLs into a store: through the proxy that runs on it, else with a service in this process."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol
from urllib.parse import urldefrag, urljoin

from addon.config.settings import Settings
from addon.offline.fetch_commands import arguments_for
from addon.offline.modes import mode_with_network
from addon.offline.prefetch import MAX_DOCUMENT, Fetched, find_stored, prefetch
from addon.offline.wanted import Document, NotThereError, Wanted
from addon.pipeline.content_codings import CodingError, decode_content
from addon.pipeline.pipeline import Pipeline
from addon.runtime.control_client import ControlClient, ControlError, running_proxies
from addon.service import Service
from cache.policy.operator_rules import Mode
from cache.stores.base import StoreError

MAX_REDIRECTS = 5

STORE_TIMEOUT = 15.0
"""Seconds that a command waits for its store, without which it is of no use: another process may have it locked."""


class Transport(Protocol):
    """Fetches one URL into the store."""

    async def fetch(self, wanted: Wanted, *, read: bool) -> Fetched:
        """Return the result, with the content if it is to be `read`. Raises ValueError for an invalid request."""


class ProxyTransport:
    """Has a running proxy fetch into its own store."""

    def __init__(self, proxy: ControlClient) -> None:
        self._proxy = proxy

    async def fetch(self, wanted: Wanted, *, read: bool) -> Fetched:
        """Have the proxy fetch. Raises ValueError if the proxy refuses the request or has ended."""
        try:
            return Fetched(**await self._proxy.ask_async("fetch", **arguments_for(wanted, read=read)))  # type: ignore[arg-type]  # made by `asdict`
        except (ControlError, TypeError) as error:
            raise ValueError(str(error)) from None


class ServiceTransport:
    """Fetches with a service in this process, if no proxy runs."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def fetch(self, wanted: Wanted, *, read: bool) -> Fetched:
        """Fetch. Raises ValueError for an invalid request."""
        return await prefetch(self._service.active.current, wanted, read=read)


class StoredTransport:
    """Finds what is stored, without asking an origin."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def fetch(self, wanted: Wanted, *, read: bool) -> Fetched:
        """Find a stored response. Raises ValueError for an invalid request."""
        await asyncio.sleep(0)  # what is in memory is found without waiting, and a proxy has other things to do, too
        return await find_stored(self._pipeline, wanted, read=read)


@asynccontextmanager
async def stored_transport_for(settings: Settings) -> AsyncIterator[Transport]:
    """Open the transport that only looks into the store of these settings. Raises StoreError and ConfigError."""
    if settings.store.kind == "memory":
        raise StoreError("the store is in memory: only a running proxy has it")
    async with _service_for(settings) as service:
        yield StoredTransport(service.active.current)


@asynccontextmanager
async def transport_for(settings: Settings) -> AsyncIterator[Transport]:
    """Open the transport for the store of these settings. Raises StoreError, ConfigError and ControlError."""
    proxies = running_proxies(settings.store.directory)
    if proxies:
        _check_mode(proxies[0], settings)
        yield ProxyTransport(proxies[0])
        return
    async with _service_for(settings) as service:
        yield ServiceTransport(service)


@asynccontextmanager
async def _service_for(settings: Settings) -> AsyncIterator[Service]:
    """Open a service whose store is open. Raises StoreError and ConfigError."""
    service = Service(settings, store_timeout=STORE_TIMEOUT)
    try:
        if service.store_problem:
            raise StoreError(service.store_problem)
        yield service
    finally:
        await service.close()


def _check_mode(proxy: ControlClient, settings: Settings) -> None:
    """Raise ControlError if a proxy is in a mode in which it never asks an origin."""
    reply = proxy.ask("mode")
    remedies = {
        str(Mode.OFFLINE): f"secondhand {mode_with_network(settings.cache)}",
        str(Mode.REPLAY): "secondhand replay --stop",
    }
    if remedy := remedies.get(str(reply["mode"])):
        raise ControlError(
            f"the proxy that runs on {settings.store.directory} asks no origin: first run {remedy}, then try again"
        )


class WarmFetcher:
    """Fetches URLs with a transport, a limited number at a time, and follows redirects.

    Attributes:
        jobs: That number.
    """

    def __init__(self, transport: Transport, jobs: int) -> None:
        self.jobs = jobs
        self._transport = transport
        self._slots = asyncio.Semaphore(jobs)
        self._documents: dict[Wanted, Fetched] = {}

    async def fetch(self, wanted: Wanted) -> Fetched:
        """Return the result of a fetch, after redirects. Errors of an origin are in the result."""
        return self._documents.get(wanted) or await self._fetch_following(wanted, read=False)

    async def _fetch_following(self, wanted: Wanted, *, read: bool) -> Fetched:
        fetched = await self._fetch_once(wanted, read=read)
        for _ in range(MAX_REDIRECTS):
            if fetched.location is None or fetched.problem:
                return fetched
            target = urldefrag(urljoin(fetched.uri, fetched.location)).url
            fetched = await self._fetch_once(replace(wanted, uri=target), read=read)
        return replace(fetched, problem=f"more than {MAX_REDIRECTS} redirects") if fetched.location else fetched

    async def _fetch_once(self, wanted: Wanted, *, read: bool) -> Fetched:
        async with self._slots:
            try:
                return await self._transport.fetch(wanted, read=read)
            except ValueError as error:
                return Fetched(wanted.uri, 0, problem=str(error))

    async def read(self, wanted: Wanted) -> Document:
        """Fetch a document that names other URLs, and return it. Raises NotThereError."""
        fetched = await self._fetch_following(wanted, read=True)
        self._documents[wanted] = replace(fetched, content=None)
        if fetched.content is None or fetched.status not in (200, 203):
            raise NotThereError(f"{wanted.uri}: {fetched.problem or f'the origin says {fetched.status}'}")
        try:
            content = decode_content(b64decode(fetched.content), fetched.coding, MAX_DOCUMENT)
        except CodingError as error:
            raise NotThereError(f"{wanted.uri}: {error}") from None
        return Document(fetched.uri, content, fetched.media_type)
