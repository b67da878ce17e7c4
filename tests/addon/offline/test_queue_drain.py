"""The miss queue is fetched as soon as its origins answer, even if no client asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from addon.config.settings import Settings
from addon.offline.queue_drain import QueueDrain
from addon.offline.wanted import Wanted
from addon.origin import FailureKind, OriginFailure
from addon.origin.reachability import MAX_FAILURES
from addon.service import Service
from cache.http.messages import Request
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin


async def endless(peer: Peer) -> None:
    while True:
        await peer.request()
        await peer.send(HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok")


def with_outage(
    tmp_path: Path, scenario: Callable[[Service, RawOrigin, list[float], Request], Awaitable[None]]
) -> None:
    """Run a scenario with two queued URLs of an origin that is left alone."""
    settings = Settings.model_validate({"store": {"path": str(tmp_path / "store")}, "origin": {"proxy": "none"}})

    async def run() -> None:
        clock = [1_900_000_000.0]
        service = Service(settings, lambda: clock[0])
        try:
            async with RawOrigin(endless) as origin:
                request = Request("GET", "http", "127.0.0.1", origin.port, "/")
                assert service.queue
                for target in ("a", "b"):
                    service.queue.add(Wanted(f"{request.uri}{target}"))
                failure = OriginFailure(FailureKind.CONNECTION_TIMEOUT, "No answer.", disconnected=True)
                for _ in range(MAX_FAILURES):
                    service.reachability.failed(request, failure, clock[0])
                await scenario(service, origin, clock, request)
        finally:
            await service.close()

    asyncio.run(run())


def test_the_queue_is_fetched_when_the_origin_answers_though_no_client_asks(tmp_path: Path) -> None:
    async def scenario(service: Service, origin: RawOrigin, clock: list[float], request: Request) -> None:
        assert service.queue
        clock[0] += 1
        drain = QueueDrain(service.queue, service.active, retry_after=0)
        drain.start()
        while service.queue.all():
            await asyncio.sleep(0)
        assert not service.policy.leaves_alone(request)
        assert len(origin.requests) == 2
        await drain.close()

    with_outage(tmp_path, scenario)


def test_what_is_answered_and_not_stored_stays_in_the_queue_and_is_not_repeated(tmp_path: Path) -> None:
    async def without_lifetime(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(HEAD + b"Content-Length: 2\r\n\r\nok")

    async def run() -> None:
        service = Service(Settings.model_validate({"store": {"path": str(tmp_path)}, "origin": {"proxy": "none"}}))
        async with RawOrigin(without_lifetime) as origin:
            assert service.queue
            uris = [f"http://127.0.0.1:{origin.port}/{name}" for name in "ab"]
            drain = QueueDrain(service.queue, service.active, retry_after=0)
            for number, uri in enumerate(uris, 1):  # the second pass finds the first URL in the queue again
                service.queue.add(Wanted(uri))
                drain.start()
                while len(origin.requests) < number:
                    await asyncio.sleep(0)
            assert [head.split()[1] for head in origin.requests] == [b"/a", b"/b"]
            assert [wanted.uri for wanted in service.queue.all()] == uris
            await drain.close()
        await service.close()

    asyncio.run(run())


def test_an_origin_that_still_fails_gets_one_request_a_pass(tmp_path: Path) -> None:
    async def scenario(service: Service, origin: RawOrigin, clock: list[float], _: Request) -> None:
        assert service.queue
        clients = service.active.current.fetcher.origin
        failed = asyncio.Event()
        asked: list[str] = []

        async def fail(request: Request, **_: object) -> None:
            asked.append(request.target)
            if len(asked) == 3:
                failed.set()
            clock[0] += 1
            raise OriginFailure(FailureKind.CONNECTION_TIMEOUT, "No answer.", disconnected=True)

        clients.fetch = fail
        clock[0] += 1
        drain = QueueDrain(service.queue, service.active, retry_after=0)
        drain.start()
        await failed.wait()
        await drain.close()
        assert set(asked) == {"/a"}
        assert len(service.queue.all()) == 2
        assert not origin.requests

    with_outage(tmp_path, scenario)
