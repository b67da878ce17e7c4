"""Targets that are refused: the proxy itself, and for other machines the addresses of this one."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from cache import engine
from cache.engine.decisions import Forward, Refuse
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy, Identity, RequestPolicy
from cache.policy.operator_rules import TargetRules, Targets, glob
from cache.policy.reasons import Refused

REACH = TargetRules(
    Targets((ip_network("127.0.0.0/8"), ip_network("fe80::/10")), (glob("*.localhost"), glob("metadata"))),
    Targets((ip_network("127.0.0.9/32"),), (glob("mine.localhost"),)),
    frozenset({443}),
)


def refusal(host: str, port: int = 443, method: str = "GET", policy: CachePolicy | None = None, via: str = "") -> str:
    """Return the reason why a request is refused, or an empty string if it is forwarded."""
    request = Request(method, "https", host, port, "/", fields=Fields((("Via", via),) if via else ()))
    decision = engine.on_request(request, (), policy or CachePolicy(requests=RequestPolicy(reach=REACH)), 0.0)
    assert isinstance(decision, Refuse | Forward)
    return decision.reason if isinstance(decision, Refuse) else ""


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.255.0.1", "::ffff:127.0.0.1", "fe80::1%eth0", "A.LOCALHOST", "a.localhost.", "metadata"]
)
def test_a_request_to_a_prohibited_target_is_refused(host: str) -> None:
    assert refusal(host) == Refused.TARGET
    assert refusal(host, policy=CachePolicy()) == ""


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize("host", ["127.0.0.9", "mine.localhost", "128.0.0.1", "::1", "localhost", "metadata.example"])
def test_a_request_to_an_exception_or_to_any_other_target_is_forwarded(host: str) -> None:
    assert refusal(host) == ""


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize(
    "host",
    ["127.1", "127.0.1", "2130706433", "0x7f000001", "0X7F.1", "0177.0.0.1", "017700000001", "127.0.0.0x1", "127.1."],
)
def test_a_prohibited_address_is_refused_in_every_spelling_that_systems_accept(host: str) -> None:
    assert refusal(host) == Refused.TARGET


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize(
    "host", ["256.127.0.1", "127.0.0.0.1", "0x7g000001", "0127.0.0.1", "127.0.0.09", "127.256.1", "4294967296", "a1"]
)
def test_a_name_that_only_looks_like_an_address_is_a_name(host: str) -> None:
    assert refusal(host) == ""


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize(
    "host",
    [
        "::127.0.0.1",  # IPv4-compatible
        "::ffff:7f00:1",  # IPv4-mapped
        "::ffff:0:127.0.0.1",  # IPv4-translated
        "64:ff9b::127.0.0.1",  # NAT64
        "64:ff9b:1::127.0.0.1",  # NAT64 with a local prefix of 96 bits
        "64:ff9b:1:7f00:0:100::",  # the same, of 48 bits
        "64:ff9b:1:7f:0:1::",  # 56 bits
        "64:ff9b:1:5:7f:0:100:0",  # 64 bits
        "2002:7f00:1::1",  # 6to4
        "2001:0:7f00:1::1",  # Teredo, the server
        "2001:0:a00:1:0:0:80ff:fffe",  # Teredo, the client
    ],
)
def test_an_ipv6_address_that_contains_a_prohibited_ipv4_address_is_refused(host: str) -> None:
    assert refusal(host) == Refused.TARGET


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize(
    "host",
    [
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::8.8.8.8",
        "2002:808:808::1",
        "2001:db8::127.0.0.1",
        "::ffff:127.0.0.9",
        "::",
        "::1",
    ],
)
def test_other_ipv6_addresses_are_not_refused(host: str) -> None:
    assert refusal(host) == ""


@pytest.mark.row("SEC-15")
def test_only_connect_is_limited_to_certain_ports() -> None:
    assert refusal("a.example", 443, "CONNECT") == ""
    assert refusal("a.example", 25, "CONNECT") == Refused.CONNECT_PORT
    assert refusal("a.example", 25, "GET") == ""
    assert refusal("a.example", 25, "CONNECT", CachePolicy()) == ""


@pytest.mark.row("SEC-16")
@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.0.0.2",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0.0.0.0",
            "0",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
        ),
        *("::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "64:ff9b::127.0.0.1", "0:0:0:0:0:0:0:1"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_a_request_to_the_admin_api_of_this_machine_is_refused(host: str, method: str) -> None:
    policy = CachePolicy(requests=RequestPolicy(admin_port=9000))
    assert refusal(host, 9000, method, policy) == Refused.TARGET
    assert refusal(host, 9001, method, policy) == ""
    assert refusal("a.example", 9000, method, policy) == ""
    assert refusal("128.0.0.1", 9000, method, policy) == ""


@pytest.mark.row("META-02")
def test_a_request_to_the_proxys_own_listener_is_a_loop() -> None:
    policy = CachePolicy(identity=Identity(own_authorities=frozenset({"proxy.example:3128"})))
    assert refusal("Proxy.Example.", 3128, policy=policy) == Refused.LOOP
    assert refusal("proxy.example", 443, policy=policy) == ""


@pytest.mark.row("META-02")
@pytest.mark.parametrize(
    ("via", "loops"),
    [
        ("1.1 secondhand-ab12", True),
        ("1.1 other, 1.0 SECONDHAND-AB12 (comment)", True),
        ("1.1 secondhand-cd34", False),
        ("secondhand-ab12 1.1", False),
        ("1.1", False),
    ],
)
def test_a_request_with_this_process_in_its_via_is_a_loop(via: str, loops: bool) -> None:
    policy = CachePolicy(identity=Identity(instance="ab12"))
    assert refusal("a.example", policy=policy, via=via) == (Refused.LOOP if loops else "")
