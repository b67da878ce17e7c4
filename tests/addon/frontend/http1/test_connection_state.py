"""The table of states of a client connection."""

from __future__ import annotations

import pytest

from addon.frontend.http1.connection import Http1Connection
from addon.frontend.http1.connection_state import (
    BETWEEN_REQUESTS,
    MOVES,
    NO_MORE_REQUESTS,
    NOT_READ,
    UNDER_WAY,
    Event,
    State,
)

IMPOSSIBLE = [(state, event) for state in State for event in Event if event not in MOVES[state]]


def reachable(start: State) -> set[State]:
    """Return the states that any events lead to, the first one included."""
    found, to_visit = {start}, [start]
    while to_visit:
        new = set(MOVES[to_visit.pop()].values()) - found
        found |= new
        to_visit += new
    return found


def test_the_table_has_a_row_for_each_state() -> None:
    assert list(MOVES) == list(State)


def test_each_state_can_be_reached_from_ready() -> None:
    assert reachable(State.READY) == set(State)


def test_released_is_final_and_can_be_reached_from_each_state_at_once() -> None:
    assert MOVES[State.RELEASED] == dict.fromkeys(Event, State.RELEASED)
    assert {moves[Event.RELEASE] for moves in MOVES.values()} == {State.RELEASED}


def test_no_request_is_answered_after_the_last_one() -> None:
    assert {moves[Event.LAST] for moves in MOVES.values()} <= NO_MORE_REQUESTS
    for state in (State.FINISHING, State.FLUSHING, State.CLOSING):
        assert reachable(state) <= NO_MORE_REQUESTS
    assert not NO_MORE_REQUESTS & (BETWEEN_REQUESTS | {State.RESPONDING, State.RESPONDING_BLOCKED})


@pytest.mark.parametrize(("state", "event"), IMPOSSIBLE, ids=lambda each: each.name)
def test_an_event_that_is_impossible_in_a_state_is_an_error(state: State, event: Event) -> None:
    connection = Http1Connection.__new__(Http1Connection)
    connection._state = state
    with pytest.raises(KeyError):
        connection._move(event)
    assert connection._state is state


def test_block_and_unblock_only_change_whether_the_client_reads() -> None:
    def phase(state: State) -> tuple[bool, bool]:
        return state in UNDER_WAY, state in NO_MORE_REQUESTS

    for state in set(State) - {State.CLOSING, State.RELEASED}:
        unblocked = MOVES[state][Event.UNBLOCK]
        assert unblocked not in NOT_READ
        assert phase(unblocked) == phase(state)
        if state not in NOT_READ:
            blocked = MOVES[state][Event.BLOCK]
            assert blocked in NOT_READ
            assert phase(blocked) == phase(state)
