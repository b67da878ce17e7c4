"""The pool of hot answers: bounded, and not swept out by a walk through many URLs."""

from __future__ import annotations

from sys import getsizeof

from hypothesis import given
from hypothesis import strategies as st

from addon.frontend.http1.hot_cache import OVERHEAD, HotCache
from addon.frontend.http1.hot_response import GenerationStamp, HitCount, HotResponse
from cache.policy.cache_policy import CachePolicy
from tests.fixtures.strategies import unhurried

POLICY, TALLY = CachePolicy(), HitCount("http", None)


def answer(content: bytes = b"", line: str = "") -> HotResponse:
    return HotResponse(
        GenerationStamp(0, 1, 1), 1, POLICY, "0" * 32, 0.0, 0.0, 60, b"", False, content, len(content), 0, TALLY, line
    )


def head(number: int) -> bytes:
    return b"GET /%06d" % number


def sent(pool: HotCache, head: bytes) -> bool:
    """Send an answer, if there is one; tell whether there was."""
    known = pool.get(head)
    if known is not None:
        known.visited = True
    return known is not None


def test_it_takes_no_more_than_it_may() -> None:
    pool = HotCache(100_000)
    for number in range(1000):
        pool.put(head(number), answer(b"a" * 500))
        assert pool.size <= 100_000
    assert 0 < len(pool) < 100


def test_what_is_asked_for_again_survives_a_walk_through_many_urls() -> None:
    pool = HotCache(100 * OVERHEAD)
    favourites = [head(number) for number in range(20)]
    for each in favourites:
        pool.put(each, answer())
    for each in favourites:
        sent(pool, each)
    for number in range(1000, 11_000):
        pool.put(head(number), answer())
        if number % 50 == 0:
            assert all(sent(pool, each) for each in favourites)


def test_what_comes_back_soon_after_it_left_stays() -> None:
    pool = HotCache(100 * OVERHEAD)
    for number in range(150):
        pool.put(head(number), answer())
    gone = next(head(number) for number in range(150) if not pool.get(head(number)))
    pool.put(gone, answer())
    known = pool.get(gone)
    assert known is not None
    assert known.in_main_queue


def test_a_newer_answer_takes_the_place_of_an_older_one() -> None:
    pool = HotCache(100_000)
    pool.put(b"a", answer(b"a" * 1000))
    pool.put(b"a", newer := answer(b"b"))
    assert pool.get(b"a") is newer
    assert len(pool) == 1
    assert pool.size < 1000


def test_what_is_too_large_is_not_kept() -> None:
    pool = HotCache(100_000)
    pool.put(b"a", answer(b"a" * 50_000))
    assert pool.get(b"a") is None
    assert pool.size == 0


def test_a_pool_without_memory_keeps_nothing() -> None:
    pool = HotCache(0)
    pool.put(b"a", answer())
    assert not pool.size
    assert pool.get(b"a") is None


def test_a_line_for_the_log_is_counted_as_well() -> None:
    pool = HotCache(1_000_000)
    pool.put(b"a", answer(line="a" * 16_000))
    assert pool.size > 16_000


def test_what_left_takes_little_memory_however_long_its_head_was() -> None:
    """Whole heads were remembered, each up to 64 KiB: gigabytes, beside answers to short ones."""
    pool = HotCache(2_000_000)
    for number in range(3_000):
        pool.put(head(number), answer())
        sent(pool, head(number))
    for number in range(3_000):
        pool.put(head(number) + b"a" * 60_000, answer())
    assert sum(map(getsizeof, pool._ghosts)) < 1_000_000


def test_to_forget_everything_leaves_nothing() -> None:
    pool = HotCache(100_000)
    pool.put(b"a", answer())
    pool.clear()
    assert (len(pool), pool.size, pool.get(b"a")) == (0, 0, None)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3000), st.booleans()), max_size=200))
@unhurried
def test_its_size_is_that_of_its_answers_whatever_happens(events: list[tuple[int, int, bool]]) -> None:
    pool = HotCache(20_000)
    for number, size, asks in events:
        if asks:
            sent(pool, head(number))
        else:
            pool.put(head(number), answer(b"a" * size))
        kept = [(head(each), known) for each in range(31) if (known := pool.get(head(each)))]
        assert pool.size == sum(len(octets) + len(known.content) + OVERHEAD for octets, known in kept)
        assert pool.size <= 20_000
        assert len(pool) == len(kept)
