"""Limits on the number of requests of one client."""

from __future__ import annotations

import os

import pytest

from addon.frontend.gateway.request_rates import RequestRates
from cache.policy.site_rules import Rate

TEN_A_SECOND = Rate("site#1 10/s", 0.1, 2)


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_one_request_each_interval() -> None:
    time = Time()
    rates = RequestRates(time)
    assert [rates.wait(TEN_A_SECOND, "192.0.2.1") for _ in range(3)] == [0, 0, 0]
    assert rates.wait(TEN_A_SECOND, "192.0.2.1") == pytest.approx(0.1)
    assert rates.wait(TEN_A_SECOND, "192.0.2.1") == pytest.approx(0.1)  # what is refused is not counted
    time.now += 0.11
    assert rates.wait(TEN_A_SECOND, "192.0.2.1") == 0
    assert rates.wait(TEN_A_SECOND, "192.0.2.1") > 0
    time.now += 100
    assert [rates.wait(TEN_A_SECOND, "192.0.2.1") > 0 for _ in range(4)] == [False, False, False, True]


def test_clients_and_limits_are_counted_apart() -> None:
    rates = RequestRates(Time())
    once = Rate("site#1 1/h", 3600, 0)
    assert rates.wait(once, "192.0.2.1") == 0
    assert rates.wait(once, "192.0.2.1") > 0
    assert rates.wait(once, "192.0.2.2") == 0
    assert rates.wait(Rate("site#2 1/h", 3600, 0), "192.0.2.1") == 0


def test_an_ipv6_network_is_one_client() -> None:
    rates = RequestRates(Time())
    once = Rate("site#1 1/h", 3600, 0)
    assert rates.wait(once, "2001:db8:0:1::1") == 0
    assert rates.wait(once, "2001:db8:0:1:ffff::2") > 0
    assert rates.wait(once, "2001:db8:0:2::1") == 0
    assert rates.wait(once, "::ffff:192.0.2.1") == 0
    assert rates.wait(once, "192.0.2.1") > 0


def test_this_machine_and_clients_without_an_address_are_counted_too() -> None:
    rates = RequestRates(Time())
    once = Rate("site#1 1/h", 3600, 0)
    for address in ("127.0.0.1", "-"):
        assert rates.wait(once, address) == 0
        assert rates.wait(once, address) > 0


def test_with_more_clients_than_slots_those_are_forgotten_that_have_sent_least() -> None:
    time = Time()
    rates = RequestRates(time, slots=16)
    busy = Rate("site#1 1/h", 3600, 10)
    for _ in range(11):
        rates.wait(busy, "192.0.2.1")
    for number in range(1000):
        rates.wait(busy, f"198.51.{number // 256}.{number % 256}")
    assert rates.wait(busy, "192.0.2.1") > 0


def test_forked_processes_count_together() -> None:
    rates = RequestRates()
    once = Rate("site#1 1/h", 3600, 0)
    child = os.fork()
    if not child:
        os._exit(0 if rates.wait(once, "192.0.2.1") == 0 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert rates.wait(once, "192.0.2.1") > 0
