"""The table of states of an HTTP/2 connection."""

from __future__ import annotations

from addon.frontend.http2.connection_state import MOVES, Event, State

FIRST = State.GREETING


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


def test_each_state_can_be_reached_from_the_first() -> None:
    assert reachable(FIRST) == set(State)


def test_closed_is_final_and_can_be_reached_from_each_state_at_once() -> None:
    assert set(MOVES[State.CLOSED].values()) == {State.CLOSED}
    end = Event.CLOSE
    assert {moves[end] for moves in MOVES.values()} == {State.CLOSED}
