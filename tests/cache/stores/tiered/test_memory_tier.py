"""The memory of a tiered store: which keys stay and which are evicted."""

from __future__ import annotations

from cache.stores.generations import private_generations
from cache.stores.tiered.memory_tier import CachedKey, KeyState, MemoryTier, cost_of
from tests.fixtures.stored_entries import new_entry

SIZE = 1 << 20


def hold(tier: MemoryTier, key: str, length: int = 1000) -> CachedKey:
    entry = new_entry(key)
    cached = tier.put(key, 0, KeyState(0, 0, (entry,)))
    tier.put_body(entry, b"x" * length)
    return cached


def use(tier: MemoryTier, key: str) -> None:
    tier.body(new_entry(key))


def keys(prefix: str, count: int) -> list[str]:
    return [f"http://{prefix}.example/{number}" for number in range(count)]


def test_the_size_limit_is_kept_and_clear_frees_everything() -> None:
    tier = MemoryTier(SIZE, {}, private_generations())
    for number, key in enumerate(keys("a", 2000)):
        hold(tier, key, number % 3000)
        assert tier.size <= SIZE
    assert tier.size > SIZE - 20_000
    tier.clear()
    assert tier.size == len(tier) == 0


def test_a_scan_over_many_keys_does_not_evict_frequent_keys() -> None:
    tier = MemoryTier(SIZE, {}, private_generations())
    often = keys("often", 100)
    for key in often:
        hold(tier, key)
    for _ in range(3):
        for key in often:
            use(tier, key)
    for key in keys("sweep", 5000):
        hold(tier, key)
        use(tier, key)
    assert all(tier.get(key) for key in often)


def test_a_key_that_returns_soon_after_eviction_is_kept() -> None:
    tier = MemoryTier(SIZE, {}, private_generations())
    hold(tier, "http://back.example/")
    passing = iter(keys("passing", 10_000))
    while tier.get("http://back.example/"):
        hold(tier, next(passing))
    hold(tier, "http://back.example/")
    for key in keys("sweep", 1000):
        hold(tier, key)
    assert tier.get("http://back.example/")


def test_a_key_that_is_no_longer_used_is_evicted() -> None:
    tier = MemoryTier(SIZE, {}, private_generations())
    hold(tier, "http://old.example/")
    for round_ in range(20):
        for key in keys(str(round_), 300):
            hold(tier, key)
            for _ in range(3):
                use(tier, key)
    assert tier.get("http://old.example/") is None


def test_pinned_keys_are_never_evicted() -> None:
    pinned = dict.fromkeys(keys("pinned", 20), 1)
    tier = MemoryTier(SIZE, pinned, private_generations())
    for key in [*pinned, *keys("sweep", 3000)]:
        hold(tier, key)
    assert all(tier.get(key) for key in pinned)
    assert tier.size <= SIZE


def test_a_body_larger_than_the_memory_is_not_kept() -> None:
    tier = MemoryTier(SIZE, {}, private_generations())
    hold(tier, "http://large.example/", SIZE)
    assert tier.size == len(tier) == 0


def test_a_memory_of_size_zero_keeps_nothing() -> None:
    tier = MemoryTier(0, {}, private_generations())
    hold(tier, "http://a.example/")
    assert tier.size == len(tier) == 0


def test_bodies_of_deleted_entries_are_dropped() -> None:
    tier = MemoryTier(SIZE, {}, private_generations())
    first, second = new_entry("http://a.example/"), new_entry("http://a.example/")
    tier.put(first.key, 0, KeyState(0, 0, (first, second)))
    for entry in (first, second, new_entry("http://a.example/"), new_entry("http://unknown.example/")):
        tier.put_body(entry, b"x" * 1000)
    with_both = tier.size
    cached = tier.put(first.key, 0, KeyState(0, 0, (second,)))
    assert list(cached.bodies) == [second.id]
    assert tier.size == with_both - cost_of(first) - 1100
