"""The log of purges, as a node reads it."""

from __future__ import annotations

import hiredis
import pytest

from cache.stores.base import StoreError
from cache.stores.purge_scopes import tag_name, url_name
from cache.stores.redis.connection import Reply
from cache.stores.redis.purge_log import PurgeLog
from cache.stores.redis.shared_generations import SharedGenerations

KEY = "http://a.example/"
DAY = 86_400_000


def new_log(lifetime: float = 86_400.0) -> PurgeLog:
    return PurgeLog("log", lifetime, SharedGenerations())


def reply(**numbers: int) -> Reply:
    """Return the reply of a server about a log with these tags, and `begin`."""
    named = {name if name == "begin" else tag_name(name): number for name, number in numbers.items()}
    return [[name.encode(), float(number)] for name, number in sorted(named.items(), key=lambda each: each[1])]


def test_what_was_stored_before_a_purge_of_it_is_outdated() -> None:
    log = new_log()
    assert log.read(reply(begin=1000, news=5000)) == []
    assert log.number() == 5000
    assert log.is_outdated((), 4000, "news")
    assert not log.is_outdated((), 4000, "sport")
    assert not log.is_outdated((), 5000, "news")


def test_what_is_older_than_the_log_or_newer_than_it_is_not_readable() -> None:
    log = new_log()
    log.read(reply(begin=1000, news=5000))
    assert [log.is_readable(number) for number in (999, 1000, 5000, 5001)] == [False, True, True, False]


def test_while_purges_are_unknown_there_is_no_number() -> None:
    log = new_log()
    log.read(reply(begin=1000))
    log.unknown()
    assert log.number() is None
    log.read(reply())
    assert log.number() == 1000


def test_purges_that_the_engine_lacks_are_told() -> None:
    log = new_log()
    log.read(reply(begin=1000, news=5000, sport=6000))
    log.read(reply(culture=7000))
    assert sorted(log.read(reply(begin=1000, news=5000, sport=2000))) == ["tag:culture", "tag:sport"]


def test_of_a_new_log_nothing_is_lacking() -> None:
    log = new_log()
    log.read(reply(begin=1000, news=5000))
    assert log.read(reply(begin=9000)) == []
    assert not log.is_readable(5000)


def test_a_purge_that_was_forgotten_since_nothing_is_left_of_what_it_covers_is_not_lacking() -> None:
    log = new_log()
    log.read(reply(begin=1000, news=5000, sport=5000 + 2 * DAY))
    assert log.read(reply(begin=1000, sport=5000 + 2 * DAY)) == []


def test_a_purge_of_a_url_ends_what_is_in_memory_of_it() -> None:
    generations = SharedGenerations()
    log = PurgeLog("log", 60.0, generations)
    before = generations.generation(KEY), generations.generation(f"{KEY}other")
    log.read([url_name(KEY).encode(), b"5000"])
    assert generations.generation(KEY) != before[0]
    assert generations.generation(f"{KEY}other") == before[1]


@pytest.mark.parametrize("damaged", [None, b"x", [b"a"], [b"a", b"b"], hiredis.ReplyError("WRONGTYPE no")])
def test_what_is_no_log_is_refused(damaged: Reply) -> None:
    with pytest.raises(StoreError):
        new_log().read(damaged)
