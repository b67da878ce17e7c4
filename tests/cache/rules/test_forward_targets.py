"""Where requests do not go: back to this proxy, and for strangers to its own machine."""

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


def refused(host: str, port: int = 443, method: str = "GET", policy: CachePolicy | None = None, via: str = "") -> str:
    """Return why a request is refused, or nothing."""
    request = Request(method, "https", host, port, "/", Fields((("Via", via),) if via else ()))
    decision = engine.on_request(request, (), policy or CachePolicy(requests=RequestPolicy(reach=REACH)), 0.0)
    assert isinstance(decision, Refuse | Forward)
    return decision.reason if isinstance(decision, Refuse) else ""


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.255.0.1", "::ffff:127.0.0.1", "fe80::1%eth0", "A.LOCALHOST", "a.localhost.", "metadata"]
)
def test_strangers_do_not_get_there(host: str) -> None:
    assert refused(host) == Refused.TARGET
    assert refused(host, policy=CachePolicy()) == ""


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize("host", ["127.0.0.9", "mine.localhost", "128.0.0.1", "::1", "localhost", "metadata.example"])
def test_they_get_everywhere_else(host: str) -> None:
    assert refused(host) == ""


@pytest.mark.row("SEC-15")
def test_tunnels_end_at_few_ports_and_requests_at_any() -> None:
    assert refused("a.example", 443, "CONNECT") == ""
    assert refused("a.example", 25, "CONNECT") == Refused.CONNECT_PORT
    assert refused("a.example", 25, "GET") == ""
    assert refused("a.example", 25, "CONNECT", CachePolicy()) == ""


@pytest.mark.row("META-02")
def test_a_request_for_where_this_proxy_listens_is_a_loop_at_once() -> None:
    policy = CachePolicy(identity=Identity(own_authorities=frozenset({"proxy.example:3128"})))
    assert refused("Proxy.Example.", 3128, policy=policy) == Refused.LOOP
    assert refused("proxy.example", 443, policy=policy) == ""


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
def test_a_request_that_names_this_very_instance_in_via_is_a_loop(via: str, loops: bool) -> None:
    assert refused("a.example", policy=CachePolicy(identity=Identity(instance="ab12")), via=via) == (
        Refused.LOOP if loops else ""
    )
