"""The counters of a running proxy, and those of each host."""

from __future__ import annotations

import pytest

from addon.runtime.counters import Counters
from addon.runtime.host_counters import host_counter


def test_counters_start_at_zero_and_have_known_names() -> None:
    counters = Counters()
    assert set(counters.snapshot().values()) == {0}
    counters.count("hits.https")
    counters.count("octets.from_copy", 10)
    counters.count("not_stored.no-store")
    counted = counters.snapshot()
    assert (counted["hits.https"], counted["octets.from_copy"], counted["not_stored.no-store"]) == (1, 10, 1)
    with pytest.raises(KeyError):
        counters.count("hit.https")


def test_the_counters_of_hosts_are_apart() -> None:
    counters = Counters()
    counters.count_each(("hits", host_counter("a.example", "hits")), 3)
    assert counters.snapshot()["hits"] == 3
    assert counters.hosts()["a.example"]["hits"] == 3
    assert not [name for name in counters.snapshot() if "a.example" in name]
    with pytest.raises(KeyError):
        counters.count(host_counter("a.example", "unknown"))
