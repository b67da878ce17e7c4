"""The targets that are refused by default."""

from __future__ import annotations

import socket

import pytest

from addon.config.addresses import DEFAULT_REFUSED_TARGETS, own_authorities, parse_targets
from cache.policy.operator_rules import TargetRules
from cache.rules.forward_targets import is_prohibited

REACH = TargetRules(parse_targets(DEFAULT_REFUSED_TARGETS))


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize(
    "host",
    [
        "localhost", "a.localhost", "127.0.0.1", "::1", "0.0.0.0", "0", "::",
        "169.254.169.254", "fe80::1%eth0", "metadata.google.internal", "100.100.100.200", "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42",
        "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b::a83f:8110", "2002:a9fe:a9fe::", "2852039166",
    ],
)  # fmt: skip
def test_this_machine_and_the_secrets_of_clouds_are_refused(host: str) -> None:
    assert is_prohibited(host, REACH)


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.1", "172.16.0.1", "192.0.0.8", "fd00::1", "example.org"])
def test_private_networks_are_not_refused(host: str) -> None:
    assert not is_prohibited(host, REACH)


@pytest.mark.row("META-02")
def test_a_proxy_on_all_addresses_knows_its_own_names_without_a_name_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Proxy.test")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a name server may not answer"))
    assert own_authorities("0.0.0.0", 80) >= {"proxy.test:80", "localhost:80", "127.0.0.1:80", "::1:80", "0.0.0.0:80"}
    assert own_authorities("127.0.0.1", 80) >= {"localhost:80", "127.0.0.1:80"}
    assert own_authorities("10.0.0.1", 80) == {"10.0.0.1:80"}
