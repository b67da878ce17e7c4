"""Flights for one key, and the requests that wait until one of them can answer."""

from __future__ import annotations

import asyncio
import math

import pytest

from addon.pipeline.flight import Flight, FlightResult, WaitingList
from addon.pipeline.single_flight import SingleFlight
from tests.lanes.manual_clock import ManualClock

KEY = "http://a.test/"
LIMIT = 5.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def flights(clock: ManualClock) -> SingleFlight:
    return SingleFlight(now=clock)


def waiting_list(flights: SingleFlight) -> WaitingList:
    """Return the requests that wait for the flights that are under way."""
    found = flights.waiting_list(KEY)
    assert found is not None
    return found


async def begin_to_wait(flights: SingleFlight, limit: float = LIMIT) -> asyncio.Future[tuple[FlightResult, Flight]]:
    """Return the answer for a request that waits."""
    answer = asyncio.ensure_future(waiting_list(flights).answer(limit))
    await asyncio.sleep(0)
    return answer


def test_a_flight_is_late_after_the_limit_and_another_one_may_lead(flights: SingleFlight, clock: ManualClock) -> None:
    first = flights.begin(KEY, leads=True)
    clock.advance(LIMIT)
    assert asyncio.run(waiting_list(flights).answer(LIMIT)) == (FlightResult.LATE, first)
    second = flights.begin(KEY, leads=True)
    assert flights.leader(KEY) is second
    assert waiting_list(flights).flights == [first, second]


def test_requests_that_wait_are_told_when_the_newest_flight_is_late(flights: SingleFlight, clock: ManualClock) -> None:
    async def run() -> tuple[FlightResult, Flight]:
        flights.begin(KEY, leads=True)
        waits = await begin_to_wait(flights, limit=0.001)
        clock.advance(LIMIT)
        return await waits

    result, flight = asyncio.run(run())
    assert (result, flight) == (FlightResult.LATE, flights.leader(KEY))


def test_a_flight_does_not_become_late_while_it_waits_for_its_lease(flights: SingleFlight, clock: ManualClock) -> None:
    async def run() -> bool:
        flight = flights.begin(KEY, leads=True)
        flight.since = math.inf
        waits = await begin_to_wait(flights)
        clock.advance(2 * LIMIT)
        other = await begin_to_wait(flights)
        assert not waits.done()
        assert not other.done()
        flight.end(FlightResult.STORED)
        return await waits == await other == (FlightResult.STORED, flight)

    assert asyncio.run(run())


@pytest.mark.parametrize("result", [FlightResult.ARRIVING, FlightResult.STORED, FlightResult.NOT_SHARED])
@pytest.mark.parametrize("answering", [0, 1], ids=["the older one answers", "the newer one answers"])
def test_requests_wait_for_whichever_flight_answers_first(
    flights: SingleFlight, clock: ManualClock, answering: int, result: FlightResult
) -> None:
    async def run() -> tuple[FlightResult, Flight]:
        both = [flights.begin(KEY, leads=True)]
        clock.advance(LIMIT)
        both[0].mark_late()
        both.append(flights.begin(KEY, leads=True))
        waits = await begin_to_wait(flights)
        both[answering].end(result)
        flights.finish(both[answering])
        answer = await waits
        assert answer[1] is both[answering]
        return answer

    assert asyncio.run(run())[0] is result


@pytest.mark.parametrize("result", [FlightResult.ASK_ANEW, FlightResult.FAILED])
def test_a_flight_without_a_response_leaves_the_other_one_to_those_that_wait(
    flights: SingleFlight, result: FlightResult
) -> None:
    first = flights.begin(KEY, leads=True)
    first.mark_late()
    second = flights.begin(KEY, leads=True)
    second.end(result)
    assert waiting_list(flights).flights == [first]
    first.end(result)
    assert flights.waiting_list(KEY) is None
    flights.finish(first)
    third = flights.begin(KEY, leads=True)
    flights.finish(second)
    assert flights.leader(KEY) is third


def test_a_flight_whose_client_is_gone_goes_on_while_others_wait(flights: SingleFlight) -> None:
    async def run() -> bool:
        flight = flights.begin(KEY, leads=True)
        flight.leader = asyncio.ensure_future(asyncio.Event().wait())
        waits = await begin_to_wait(flights)
        flights.abandon(flight.leader)
        await asyncio.sleep(0)
        assert not flight.leader.cancelled()
        waits.cancel()
        await asyncio.gather(waits, flight.leader, return_exceptions=True)
        return flight.leader.cancelled()

    assert asyncio.run(run())
