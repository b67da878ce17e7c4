"""Socket addresses: their order, and those that are refused."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_network

import pytest

from addon.origin import FailureKind, OriginFailure
from addon.origin.destinations import destinations, is_own, refuse_prohibited, refuse_this_machine
from cache.policy.operator_rules import TargetRules, Targets, glob

REACH = TargetRules(
    Targets((ip_network("169.254.0.0/16"),)),
    Targets((ip_network("169.254.7.0/24"), ip_network("10.0.0.6/32")), (glob("mine.test"),)),
)


@pytest.fixture
def own_addresses(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Give this machine these addresses besides loopback, and routes to 10.0.0.0/8 and 2001:db8::/32."""
    addresses = {"10.0.0.5", "10.0.0.6", "2001:db8::5"}
    monkeypatch.setattr("addon.origin.destinations.can_listen", lambda address: address in addresses)
    monkeypatch.setattr("addon.origin.destinations.source_address", _source_address)
    return addresses


def _source_address(destination: tuple[socket.AddressFamily, tuple[str, int]]) -> str | None:
    address = destination[1][0]
    sources = {"10.": "10.0.0.5", "2001:db8:": "2001:db8::5", "127.": "127.0.0.1"}
    return next((source for prefix, source in sources.items() if address.startswith(prefix)), None)


@pytest.mark.row("SEC-16")
@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "::ffff:127.0.0.1", "10.0.0.5"])
def test_a_name_with_an_address_of_this_machine_does_not_lead_to_its_admin_api(
    address: str, own_addresses: set[str]
) -> None:
    with pytest.raises(OriginFailure) as refused:
        refuse_this_machine("a.test", ["192.0.2.1", address])
    assert refused.value.kind is FailureKind.DESTINATION_IP_PROHIBITED
    refuse_this_machine("a.test", ["192.0.2.1", "2001:db8::1"])


def refusal(*addresses: str, host: str = "a.test") -> str:
    try:
        refuse_prohibited(host, addresses, REACH)
    except OriginFailure as failure:
        return f"{failure.kind}: {failure.detail}"
    return ""


def test_the_families_alternate_and_addresses_without_a_route_come_last(own_addresses: set[str]) -> None:
    given = ("fd00::1", "2001:db8::1", "2001:db8::2", "10.0.0.1", "192.0.2.1", "10.0.0.2")
    ordered = [address[0] for _, address in destinations(given, 443)]
    assert ordered == ["2001:db8::1", "10.0.0.1", "2001:db8::2", "10.0.0.2", "fd00::1", "192.0.2.1"]


def test_a_zone_is_kept() -> None:
    assert destinations(["fe80::1%lo"], 80) == [(socket.AF_INET6, ("fe80::1", 80, 0, socket.if_nametoindex("lo")))]


@pytest.mark.row("SEC-15")
def test_a_name_with_a_refused_address_is_refused(own_addresses: set[str]) -> None:
    assert refusal("10.0.0.1") == ""
    kind = FailureKind.DESTINATION_IP_PROHIBITED
    sentence = f"{kind}: a.test resolves to 169.254.1.1, which is a refused target of this proxy"
    assert refusal("10.0.0.1", "169.254.1.1") == sentence
    assert refusal("169.254.1.1", host="169.254.1.1") == f"{kind}: 169.254.1.1 is a refused target of this proxy"


@pytest.mark.row("SEC-15")
@pytest.mark.parametrize("address", ["10.0.0.5", "2001:db8::5", "64:ff9b::10.0.0.5", "2002:a00:5::1"])
def test_the_proxys_own_machine_is_refused(address: str, own_addresses: set[str]) -> None:
    assert refusal(address).endswith(
        f"{address}, which is an address of this proxy's own machine, and so a refused target"
    )


@pytest.mark.row("SEC-15")
def test_an_address_that_the_machine_gets_later_is_refused(own_addresses: set[str]) -> None:
    assert refusal("10.0.0.77") == ""
    own_addresses.add("10.0.0.77")
    assert refusal("10.0.0.77")


@pytest.mark.row("SEC-15")
def test_allowed_addresses_and_names_are_not_refused(own_addresses: set[str]) -> None:
    assert refusal("169.254.7.1", "10.0.0.6") == ""
    assert refusal("169.254.1.1", "10.0.0.5", host="Mine.test") == ""


def test_a_machine_that_may_listen_on_any_address_knows_its_own_nevertheless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("addon.origin.destinations.can_listen", lambda address: True)
    monkeypatch.setattr("addon.origin.destinations.source_address", _source_address)
    assert [is_own(address) for address in ("10.0.0.5", "10.0.0.1", "2001:db8::5", "2001:db8::1")] == [
        True,
        False,
        True,
        False,
    ]


def test_an_address_without_a_free_port_is_own_nevertheless(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(_: object, where: tuple[str, int]) -> None:
        raise OSError(errno.EADDRINUSE if where[0] == "10.0.0.5" else errno.EADDRNOTAVAIL, "")

    monkeypatch.setattr("addon.origin.destinations.socket.socket.bind", bind)
    assert [is_own(address) for address in ("10.0.0.5", "10.0.0.1")] == [True, False]


def test_loopback_and_foreign_addresses_are_not_own() -> None:
    assert [is_own(address) for address in ("127.0.0.1", "::1", "240.0.0.1", "2001:db8::1")] == [False] * 4
