"""Outcomes of origin responses: which of them are too large to store."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.pipeline.async_store import AsyncStore
from addon.service import Service
from cache.stores.tiered.store import TieredStore
from tests.addon.offline.running_service import with_service
from tests.fixtures.origin_client import get
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin, answering

LARGE = 600_000
TIMEOUT = 60.0
"""Seconds after which a test fails."""
FRESH = HEAD + b"Cache-Control: max-age=60\r\n"


def settings(folder: Path, **store: object) -> Settings:
    """Return settings with the store in a folder."""
    return Settings.model_validate({"store": {"path": str(folder), **store}, "origin": {"proxy": "none"}})


async def fetch(service: Service, origin: RawOrigin) -> tuple[int, str | None]:
    """Send a request and read the response; return its status and Cache-Status."""
    reply = await service.active.current.responder.respond(get(origin))
    if not isinstance(reply.content, bytes):
        async for _ in reply.content.chunks:
            pass
        await reply.content.close()
    return reply.head.status, reply.head.fields.get("cache-status")


def test_the_free_space_for_a_large_response_is_measured_on_threads_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def free_space(_store: TieredStore) -> int:
        threads.append(threading.current_thread().name)
        return LARGE

    async def conversation(service: Service) -> None:
        large = FRESH + b"Content-Length: %d\r\n\r\n" % LARGE + bytes(LARGE)
        async with RawOrigin(answering(large)) as origin:
            assert await fetch(service, origin) == (200, "secondhand; fwd=uri-miss; stored")

    monkeypatch.setattr(TieredStore, "free_space", free_space)
    with_service(settings(tmp_path, max_object="free", max_size=2**20), conversation)
    assert threads
    assert all(name.startswith("store") for name in threads)


def test_a_client_that_leaves_while_the_free_space_is_measured_ends_the_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring, closed = asyncio.Event(), asyncio.Event()

    async def free_space(_store: AsyncStore) -> int:
        measuring.set()
        await asyncio.Event().wait()
        return 0

    async def begins(peer: Peer) -> None:
        await peer.request()
        await peer.send(FRESH + b"Content-Length: %d\r\n\r\n" % LARGE)
        await peer.client_closed()
        closed.set()

    async def conversation(service: Service) -> None:
        async with RawOrigin(begins) as origin:
            asked = asyncio.create_task(service.active.current.responder.respond(get(origin)))
            await measuring.wait()
            asked.cancel()
            async with asyncio.timeout(TIMEOUT):
                await closed.wait()
            await asyncio.wait([asked])

    monkeypatch.setattr(AsyncStore, "free_space", free_space)
    with_service(settings(tmp_path, max_object="free", max_size=2**20), conversation)


def test_the_content_length_of_a_304_is_not_the_size_of_its_content(tmp_path: Path) -> None:
    stale = HEAD + b'Cache-Control: no-cache\r\nETag: "%b"\r\nContent-Length: 4\r\n\r\npage'
    of_another = b'HTTP/1.1 304 Not Modified\r\nETag: "other"\r\nContent-Length: 9\r\n\r\n'

    async def conversation(service: Service) -> None:
        async with RawOrigin(answering(stale % b"first", of_another, stale % b"second")) as origin:
            assert await fetch(service, origin) == (200, "secondhand; fwd=uri-miss; stored")
            # the 304 confirms nothing, so the origin is asked again
            status, cache_status = await fetch(service, origin)
            assert (status, "stored" in (cache_status or "")) == (200, True)
            assert len(origin.requests) == 3

    with_service(settings(tmp_path, max_object=5), conversation)
