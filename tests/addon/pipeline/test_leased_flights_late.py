"""Single-flight among workers when the fetch of one takes long: each of them makes one fetch for all its requests."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from addon.pipeline.single_flight import SingleFlight
from addon.runtime.leases import client
from addon.service import Service
from tests.addon.pipeline.test_leased_flights import FRESH, FRESH_OK, Workers, herd, respond, run_conversation
from tests.fixtures.origin_client import get
from tests.fixtures.raw_origin import Peer, Script, answering
from tests.fixtures.until import until
from tests.lanes.manual_clock import ManualClock

MANY = 20


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not give up the server, which shares its event loop with the workers here."""
    monkeypatch.setattr(client, "SLOW", 60.0)


def flights_of(service: Service, clock: ManualClock) -> SingleFlight:
    """Return the flights of a worker, which become late by this clock."""
    flights = service.active.current.fetcher.single_flight
    flights.now = clock
    return flights


async def silent(peer: Peer) -> None:
    await peer.request()
    await peer.client_closed()


async def half(peer: Peer) -> None:
    """Send the head and a part of the content."""
    await peer.request()
    await peer.send(FRESH + b"Content-Length: 6\r\n\r\nhel")
    await peer.client_closed()


@pytest.mark.parametrize("stuck", [silent, half], ids=["before the response", "in the response"])
def test_a_worker_that_has_waited_in_vain_makes_one_fetch_for_all_its_requests(tmp_path: Path, stuck: Script) -> None:
    async def conversation(workers: Workers) -> tuple[list[tuple[int, bytes]], int]:
        request, (first, second) = get(workers.origin), workers.services
        flights_of(second, ManualClock())
        leader = asyncio.create_task(respond(first, request))
        await until(lambda: len(workers.origin.requests) == 1)
        replies = await herd([second], request, MANY)
        leader.cancel()
        await asyncio.gather(leader, return_exceptions=True)
        return replies, len(workers.origin.requests)

    replies, fetches = run_conversation(tmp_path, conversation, stuck, answering(FRESH_OK), collapse_timeout="0.05s")
    assert sorted(replies) == [(200, b"ok")] + [(203, b"ok")] * (MANY - 1)
    assert fetches == 2


def test_the_second_fetch_of_a_worker_does_not_wait_for_the_lease_of_the_first(tmp_path: Path) -> None:
    async def conversation(workers: Workers) -> list[int]:
        request, first, clock = get(workers.origin), workers.services[0], ManualClock()
        flights_of(first, clock)
        stuck = asyncio.create_task(respond(first, request))
        await until(lambda: len(workers.origin.requests) == 1)
        clock.advance(3600)
        replies = await herd([first], request, MANY)
        stuck.cancel()
        await asyncio.gather(stuck, return_exceptions=True)
        return sorted(status for status, _ in replies)

    replies = run_conversation(tmp_path, conversation, silent, answering(FRESH_OK), collapse_timeout="3600s")
    assert replies == [200] + [203] * (MANY - 1)
