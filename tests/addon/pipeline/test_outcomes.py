"""Outcomes of origin responses: which of them are too large to store."""

from __future__ import annotations

from pathlib import Path

from addon.config.settings import Settings
from addon.service import Service
from tests.addon.offline.running_service import with_service
from tests.fixtures.origin_client import get
from tests.fixtures.raw_origin import HEAD, RawOrigin, answering


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
