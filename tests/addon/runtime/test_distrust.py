"""The hosts for which clients did not accept the proxy's certificate."""

from __future__ import annotations

from addon.runtime.distrust import MAX_HOSTS, Distrust


def test_an_alert_counts_even_if_another_client_accepts_the_certificate() -> None:
    distrust = Distrust()
    distrust.trusts("a.test")
    distrust.distrusts("a.test")
    distrust.leaves("a.test")
    assert distrust.hosts == {"a.test": 1}


def test_a_connection_without_a_request_counts_until_there_is_one_for_the_host() -> None:
    distrust = Distrust()
    distrust.leaves("a.test")
    distrust.leaves("a.test")
    distrust.leaves("b.test")
    distrust.trusts("b.test")
    assert distrust.hosts == {"a.test": 2}


def test_the_number_of_hosts_is_limited() -> None:
    distrust = Distrust()
    for number in range(MAX_HOSTS + 5):
        distrust.leaves(f"{number}.test")
        distrust.trusts(f"{number}.trusted.test")
    assert len(distrust.hosts) == MAX_HOSTS
    distrust.leaves("1.test")
    assert distrust.hosts["1.test"] == 2
