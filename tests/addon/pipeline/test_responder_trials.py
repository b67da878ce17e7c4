"""Requests to an origin that is left alone: one a second is sent, and its success ends the outage for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from addon.config.settings import Settings
from addon.origin import FailureKind, OriginFailure, OriginResponse
from addon.origin.reachability import MAX_FAILURES
from addon.pipeline.reply import Reply
from addon.service import Service
from cache.http.messages import Request
from cache.rules.key import request_for
from tests.fixtures.raw_origin import HEAD, SHORT_TIMEOUT, Peer, RawOrigin, Script

SHORT = HEAD + b'Cache-Control: max-age=1\r\nETag: "1"\r\nContent-Length: 2\r\n\r\nok'
BACKGROUND = HEAD + b"Cache-Control: max-age=1, stale-while-revalidate=9000\r\nContent-Length: 2\r\n\r\nok"


class Network:
    """An origin behind a network that a test takes down; a request during the outage fails, or hangs."""

    def __init__(self, service: Service, origin: RawOrigin, clock: list[float]) -> None:
        self.service = service
        self.origin = origin
        self.clock = clock
        self.up = True
        self.hangs = False
        self.failure = FailureKind.CONNECTION_TIMEOUT
        self.sent = 0
        self.arrived = asyncio.Event()
        self._fetch = service.active.current.fetcher.origin.fetch
        service.active.current.fetcher.origin.fetch = self.fetch

    async def fetch(self, request: Request, **given: object) -> OriginResponse:
        self.sent += 1
        self.arrived.set()
        if not self.up and self.hangs:
            await asyncio.Event().wait()
        if not self.up:
            raise OriginFailure(self.failure, "No answer.", disconnected=True)
        return await self._fetch(request, **given)  # type: ignore[arg-type]  # passed on unchanged

    def get(self, target: str = "/", method: str = "GET") -> Request:
        return Request(method, "http", "127.0.0.1", self.origin.port, target)

    async def ask(self, target: str = "/", method: str = "GET") -> Reply:
        responder = self.service.active.current.responder
        request = self.get(target, method)
        return await responder.buffered(request, await responder.respond(request), 1000)

    async def statuses(self, count: int, target: str = "/") -> list[int]:
        return sorted([reply.head.status for reply in await asyncio.gather(*[self.ask(target) for _ in range(count)])])

    async def fail_until_left_alone(self) -> None:
        self.up = False
        for number in range(MAX_FAILURES):
            await self.ask(f"/failed/{number}")
        assert self.service.policy.leaves_alone(self.get())


def with_network(
    tmp_path: Path,
    scenario: Callable[[Network], Awaitable[None]],
    *,
    reply: bytes = SHORT,
    first: Script | None = None,
    **origin_settings: object,
) -> None:
    """Run a scenario; the origin sends `reply` on each connection, except on the one that `first` is for."""
    settings = Settings.model_validate(
        {
            "store": {"path": str(tmp_path / "store")},
            "origin": {"proxy": "none", **origin_settings},
            "cache": {"collapse_timeout": 3600},
        }
    )

    async def endless(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(reply)

    async def run() -> None:
        clock = [1_900_000_000.0]
        service = Service(settings, lambda: clock[0])
        try:
            scripts = [first, endless] if first else [endless]
            async with RawOrigin(*scripts) as origin:
                await scenario(Network(service, origin, clock))
        finally:
            await service.close()

    asyncio.run(run())


def test_one_request_a_second_is_sent_and_its_success_ends_the_outage(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        await network.fail_until_left_alone()
        sent = network.sent
        assert await network.statuses(20) == [504] * 20
        assert network.sent == sent
        network.clock[0] += 1
        assert await network.statuses(20) == [504] * 20
        assert network.sent == sent + 1
        network.up = True
        assert await network.statuses(20) == [504] * 20
        network.clock[0] += 1
        assert (await network.ask()).head.status == 200
        assert (await network.ask("/other")).head.status == 200
        assert not network.service.policy.network.unreachable

    with_network(tmp_path, scenario)


def test_after_a_long_outage_the_first_request_is_sent(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        await network.fail_until_left_alone()
        network.clock[0] += 100_000
        network.up = True
        assert (await network.ask()).head.status == 200

    with_network(tmp_path, scenario)


def test_a_post_may_be_the_trial(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        await network.fail_until_left_alone()
        assert (await network.ask(method="POST")).head.status == 504
        network.clock[0] += 1
        network.up = True
        assert (await network.ask(method="POST")).head.status == 200

    with_network(tmp_path, scenario)


def test_another_port_of_the_host_is_not_concerned(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        assert (await network.ask("/stored")).head.status == 200
        await network.fail_until_left_alone()
        network.up = True
        async with RawOrigin(answering_once) as other:
            request = request_for(f"http://127.0.0.1:{other.port}/")
            reply = await network.service.active.current.responder.respond(request)
            assert reply.head.status == 200

    with_network(tmp_path, scenario)


async def answering_once(peer: Peer) -> None:
    await peer.request()
    await peer.send(SHORT)
    await peer.client_closed()


def test_a_stale_copy_is_served_except_to_the_trial(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        await network.ask()
        await network.fail_until_left_alone()
        network.clock[0] += 0.5
        network.up = True
        sent = network.sent
        assert await network.statuses(5) == [203] * 5  # it is fresh
        assert network.sent == sent
        network.clock[0] += 1
        assert await network.statuses(5) == [200] + [203] * 4
        assert network.sent == sent + 1

    with_network(tmp_path, scenario)


def test_a_failed_trial_gets_the_stale_copy(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        await network.ask()
        await network.fail_until_left_alone()
        network.clock[0] += 2
        sent = network.sent
        assert (await network.ask()).head.status == 203
        assert network.sent == sent + 1

    with_network(tmp_path, scenario)


def test_a_background_revalidation_may_be_the_trial(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        await network.ask()
        await network.fail_until_left_alone()
        network.clock[0] += 2
        network.up = True
        network.arrived.clear()
        assert (await network.ask()).head.status == 203
        await network.arrived.wait()
        while network.service.policy.network.unreachable:
            await asyncio.sleep(0)

    with_network(tmp_path, scenario, reply=BACKGROUND)


def test_requests_that_hang_delay_neither_the_next_trial_nor_the_requests_after_it(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        network.up, network.hangs = False, True
        before = asyncio.ensure_future(network.ask("/same"))
        await network.arrived.wait()
        network.hangs = False
        await network.fail_until_left_alone()
        network.clock[0] += 1
        network.hangs = True
        network.arrived.clear()
        trial = asyncio.ensure_future(network.ask("/same"))
        await network.arrived.wait()
        network.clock[0] += 1
        network.up = True
        assert (await network.ask("/same")).head.status == 200
        network.clock[0] += 60
        assert (await network.ask("/same")).head.status == 200
        assert (await network.ask("/another")).head.status == 200
        for hanging in (before, trial):
            hanging.cancel()
        await asyncio.gather(before, trial, return_exceptions=True)

    with_network(tmp_path, scenario)


def test_an_origin_that_accepts_connections_and_hangs_is_left_alone(tmp_path: Path) -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def scenario(network: Network) -> None:
        async with RawOrigin(silent) as origin:
            request = request_for(f"http://127.0.0.1:{origin.port}/")
            responder = network.service.active.current.responder
            for _ in range(MAX_FAILURES):
                assert (await responder.respond(request)).head.status == 504
            assert network.service.policy.leaves_alone(request)
            await responder.respond(request)
            assert origin.connections == MAX_FAILURES

    with_network(tmp_path, scenario, first_byte_timeout=SHORT_TIMEOUT)


class PartlyHanging:
    """An origin of which some resources hang, and requests for them that took its latest turn."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._hanging: list[asyncio.Future[Reply]] = []

    async def leave_alone(self) -> None:
        self._network.failure = FailureKind.CONNECTION_READ_TIMEOUT
        await self._network.fail_until_left_alone()

    async def take_turn(self, method: str = "GET") -> None:
        network = self._network
        network.clock[0] += 1
        network.up, network.hangs = False, True
        network.arrived.clear()
        self._hanging.append(asyncio.ensure_future(network.ask("/hang", method)))
        await network.arrived.wait()
        network.up = True

    async def end(self) -> None:
        for each in self._hanging:
            each.cancel()
        await asyncio.gather(*self._hanging, return_exceptions=True)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_requests_that_hang_take_the_origin_from_no_other_request(tmp_path: Path, method: str) -> None:
    async def scenario(network: Network) -> None:
        origin = PartlyHanging(network)
        await origin.leave_alone()
        await origin.take_turn(method)
        assert (await network.ask("/good")).head.status == 200
        assert not network.service.policy.network.unreachable
        await origin.end()

    with_network(tmp_path, scenario)


def test_a_stale_copy_is_validated_in_the_background_while_another_request_has_the_turn(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        await network.ask()
        origin = PartlyHanging(network)
        await origin.leave_alone()
        await origin.take_turn()
        network.clock[0] += 0.5
        assert (await network.ask()).head.status == 203
        while network.service.policy.network.unreachable:
            await asyncio.sleep(0)
        await origin.end()

    with_network(tmp_path, scenario)


def test_a_connection_that_is_accepted_lets_other_requests_try(tmp_path: Path) -> None:
    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def scenario(network: Network) -> None:
        await network.fail_until_left_alone()
        network.clock[0] += 1
        network.up = True
        hanging = asyncio.ensure_future(network.ask("/hang"))
        while not network.origin.requests:
            await asyncio.sleep(0.001)
        assert (await network.ask("/good")).head.status == 200
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)

    with_network(tmp_path, scenario, first=silent)


def test_a_name_that_idna_cannot_encode_is_tried_again_like_any_other(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        request = request_for("http://a..b/")
        responder = network.service.active.current.responder
        failures = network.service.counters
        for _ in range(MAX_FAILURES + 1):
            assert (await responder.respond(request)).head.status in (502, 504)
        assert network.service.policy.leaves_alone(request)
        network.clock[0] += 1
        await responder.respond(request)
        assert failures.snapshot()[f"failures.{FailureKind.DNS_ERROR}"] == MAX_FAILURES + 1

    with_network(tmp_path, scenario)


def test_a_failed_trial_waits_in_the_queue_like_every_miss(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        await network.fail_until_left_alone()
        network.clock[0] += 1
        sent = network.sent
        reply = await network.ask("/wanted")
        assert network.sent == sent + 1
        assert reply.head.status == 504
        assert network.service.queue
        assert [wanted.uri for wanted in network.service.queue.all()] == [network.get("/wanted").uri]

    with_network(tmp_path, scenario)


@pytest.mark.parametrize("mode", ["online", "offline", "auto"])
def test_switching_the_mode_ends_what_is_left_alone(tmp_path: Path, mode: str) -> None:
    async def scenario(network: Network) -> None:
        await network.fail_until_left_alone()
        await network.service.modes.handle({"mode": mode})
        network.up = True
        assert (await network.ask()).head.status == (504 if mode == "offline" else 200)

    with_network(tmp_path, scenario)


def test_a_request_that_needs_no_origin_is_not_the_trial(tmp_path: Path) -> None:
    async def scenario(network: Network) -> None:
        await network.fail_until_left_alone()
        network.clock[0] += 1
        network.up = True
        assert (await network.ask(method="TRACE")).head.status == 405
        assert (await network.ask()).head.status == 200

    with_network(tmp_path, scenario)
