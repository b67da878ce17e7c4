"""The hot cache: bounded in memory, and not emptied by one pass over many URLs.

See docs/decisions.md, "Memory keeps what is used again (S3-FIFO)".
"""

from __future__ import annotations

import tracemalloc
from sys import getsizeof

from hypothesis import given
from hypothesis import strategies as st

from addon.frontend.http1.hot_cache import OVERHEAD, HotCache
from addon.frontend.http1.hot_response import HitCount, HotResponse
from cache.policy.cache_policy import CachePolicy
from cache.stores.base import Stamp
from cache.stores.generations import private_generations
from tests.fixtures.strategies import unhurried

POLICY, HITS = CachePolicy(), HitCount("http", None, "a.example")


STAMP = Stamp(0, 1, 1, (), 0, "")


def response(
    content: bytes = b"",
    log_line: str = "",
    *,
    stamp: Stamp = STAMP,
    entry_id: str = "0" * 32,
    valid_until: float = 0.0,
    born: float = 0.0,
) -> HotResponse:
    return HotResponse(
        slot=stamp.slot,
        generation=stamp.generation,
        version=stamp.version,
        names=stamp.names,
        purges=stamp.purges,
        tags=stamp.tags,
        policy=POLICY,
        entry_id=entry_id,
        valid_until=valid_until,
        born=born,
        lifetime=60,
        template=b"",
        has_ttl=False,
        content=content,
        length=len(content),
        milliseconds=0,
        hits=HITS,
        log_line=log_line,
    )


def head(number: int) -> bytes:
    return b"GET /%06d" % number


def use(hot: HotCache, head: bytes) -> bool:
    """Use a response as if it were sent; return whether there is one."""
    known = hot.get(head)
    if known is not None:
        known.visited = True
    return known is not None


def test_the_size_stays_within_the_limit() -> None:
    hot = HotCache(100_000)
    for number in range(1000):
        hot.put(head(number), response(b"a" * 500))
        assert hot.size <= 100_000
    assert 0 < len(hot) < 100


def test_responses_that_are_used_survive_a_pass_over_many_urls() -> None:
    hot = HotCache(100 * OVERHEAD)
    favourites = [head(number) for number in range(20)]
    for each in favourites:
        hot.put(each, response())
    for each in favourites:
        use(hot, each)
    for number in range(1000, 11_000):
        hot.put(head(number), response())
        if number % 50 == 0:
            assert all(use(hot, each) for each in favourites)


def test_a_response_that_returns_soon_after_its_removal_enters_the_main_queue() -> None:
    hot = HotCache(100 * OVERHEAD)
    for number in range(150):
        hot.put(head(number), response())
    removed = next(head(number) for number in range(150) if not hot.get(head(number)))
    hot.put(removed, response())
    known = hot.get(removed)
    assert known is not None
    assert known.in_main_queue


def test_a_newer_response_replaces_an_older_one() -> None:
    hot = HotCache(100_000)
    hot.put(b"a", response(b"a" * 1000))
    hot.put(b"a", newer := response(b"b"))
    assert hot.get(b"a") is newer
    assert len(hot) == 1
    assert hot.size < 1000


def test_a_response_that_is_too_large_is_not_kept() -> None:
    hot = HotCache(100_000)
    hot.put(b"a", response(b"a" * 50_000))
    assert hot.get(b"a") is None
    assert hot.size == 0


def test_a_hot_cache_without_memory_keeps_nothing() -> None:
    hot = HotCache(0)
    hot.put(b"a", response())
    assert not hot.size
    assert hot.get(b"a") is None


def test_the_line_for_the_access_log_is_counted() -> None:
    hot = HotCache(1_000_000)
    hot.put(b"a", response(log_line="a" * 16_000))
    assert hot.size > 16_000


def test_the_ghost_queue_takes_little_memory_even_for_long_heads() -> None:
    """Regression: it held whole heads of up to 64 KiB each, gigabytes in all."""
    hot = HotCache(2_000_000)
    for number in range(3_000):
        hot.put(head(number), response())
        use(hot, head(number))
    for number in range(3_000):
        hot.put(head(number) + b"a" * 60_000, response())
    assert sum(map(getsizeof, hot._ghosts)) < 1_000_000


def test_clear_removes_everything() -> None:
    hot = HotCache(100_000)
    hot.put(b"a", response())
    hot.clear()
    assert (len(hot), hot.size, hot.get(b"a")) == (0, 0, None)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3000), st.booleans()), max_size=200))
@unhurried
def test_the_size_is_the_sum_over_all_responses(events: list[tuple[int, int, bool]]) -> None:
    hot = HotCache(20_000)
    for number, size, is_use in events:
        if is_use:
            use(hot, head(number))
        else:
            hot.put(head(number), response(b"a" * size))
        kept = [(head(each), known) for each in range(31) if (known := hot.get(head(each)))]
        assert hot.size == sum(len(key) + len(known.content) + OVERHEAD for key, known in kept)
        assert hot.size <= 20_000
        assert len(hot) == len(kept)


def test_a_response_takes_no_more_memory_than_is_counted() -> None:
    number, hot, generations = 2000, HotCache(1 << 30), private_generations()
    heads = [b"GET /%06d HTTP/1.1\r\n\r\n" % each for each in range(number)]
    generations.add(f"http://a.example/{each}" for each in range(number))
    tracemalloc.start()
    try:
        for each in range(number):
            stamp = generations.stamp(f"http://a.example/{each}")
            made = response(stamp=stamp, entry_id=f"{each:032x}", valid_until=each + 0.5, born=each - 0.5)
            hot.put(heads[each], made)
        allocated = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert allocated <= hot.size - sum(map(len, heads))
