"""Tags of purges: which keys have them, and which ranges of keys hold these."""

from __future__ import annotations

import pytest

from cache.stores.purges import ALL, REMEMBERED, KnownPurges, host_tag, key_ranges, tags_of

KEYS = {
    "http://a.example/": "a.example",
    "https://a.example/x?y=http://b.example/": "a.example",
    "http://a.example:8080/": "a.example",
    "http://a.example.org/": "a.example.org",
    "http://b.a.example/": "b.a.example",
    "http://[::1]/": "::1",
    "https://[::1]:8443/": "::1",
    "http://[::11]/": "::11",
}


@pytest.mark.parametrize("key", KEYS)
def test_a_key_has_the_tag_of_its_host_and_the_tag_of_everything(key: str) -> None:
    assert set(tags_of(key)) == {ALL, host_tag(KEYS[key])}


@pytest.mark.parametrize("host", sorted({*KEYS.values()}))
def test_the_ranges_of_a_host_hold_exactly_its_keys(host: str) -> None:
    inside = {key for key in KEYS for start, stop in key_ranges(host_tag(host)) if start <= key < stop}
    assert inside == {key for key, its_host in KEYS.items() if its_host == host}


def test_a_host_is_meant_in_any_spelling() -> None:
    assert host_tag("A.Example.") == host_tag("a.example")
    assert host_tag("[::1]") == host_tag("::1")


def test_only_what_is_older_than_a_purge_of_its_tag_is_purged() -> None:
    purges = KnownPurges()
    purges.learn([("host:a.example", 3)], 3)
    assert purges.is_purged(tags_of("http://a.example/"), 2)
    assert not purges.is_purged(tags_of("http://a.example/"), 3)
    assert not purges.is_purged(tags_of("http://b.example/"), 2)
    purges.learn([(ALL, 4)], 4)
    assert purges.is_purged(tags_of("http://b.example/"), 3)


def test_memory_from_before_the_remembered_purges_is_outdated() -> None:
    purges = KnownPurges()
    purges.learn([], REMEMBERED + 2)
    assert purges.is_outdated(tags_of("http://a.example/"), 1)
    assert not purges.is_outdated(tags_of("http://a.example/"), 2)
