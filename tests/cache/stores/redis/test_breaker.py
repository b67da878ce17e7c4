"""The states of a server."""

from __future__ import annotations

from cache.stores.redis.breaker import Breaker, Interruptions, State


def connected(interruptions: Interruptions | None = None) -> Breaker:
    breaker = Breaker(interruptions or Interruptions())
    breaker.ready()
    return breaker


def test_a_server_is_not_used_before_it_is_ready() -> None:
    breaker = Breaker(Interruptions())
    assert not breaker.is_closed
    breaker.ready()
    assert breaker.is_closed


def test_a_late_reply_opens_the_breaker_once() -> None:
    interruptions = Interruptions()
    breaker = connected(interruptions)
    assert breaker.reply_is_late("late")
    assert not breaker.reply_is_late("later")
    assert (breaker.is_closed, breaker.reason, interruptions.slow) == (False, "late", 1)


def test_a_slow_server_is_used_again_when_it_owes_nothing() -> None:
    breaker = connected()
    breaker.reply_is_late("late")
    assert not breaker.answered_in_time(owes_replies=True)
    assert not breaker.is_closed
    assert breaker.answered_in_time(owes_replies=False)
    assert breaker.is_closed


def test_after_a_lost_connection_a_reply_in_time_is_not_enough() -> None:
    interruptions = Interruptions()
    breaker = connected(interruptions)
    assert breaker.lost("gone")
    assert not breaker.lost("still gone")
    assert not breaker.answered_in_time(owes_replies=False)
    assert (breaker.state, interruptions.lost) == (State.DOWN, 1)
    breaker.ready()
    assert breaker.is_closed
