"""Trusted proxies: addresses and networks; and the defaults of an edge."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.config.errors import ConfigError
from addon.config.settings import Settings
from addon.config.trusted_proxies import TrustedProxies, normal_address
from cache.policy.operator_rules import ClientReload
from tests.fixtures.settings_files import configured

pytestmark = pytest.mark.usefixtures("default_settings")


@pytest.mark.parametrize(
    ("names", "address", "trusted"),
    [
        (["127.0.0.1"], "127.0.0.1", True),
        (["127.0.0.1"], "127.0.0.2", False),
        (["10.0.0.0/8"], "10.200.0.1", True),
        (["10.0.0.0/8"], "::ffff:10.200.0.1", True),
        (["fe80::/10"], "fe80::1%eth0", True),
        (["::1"], "127.0.0.1", False),
        (["0.0.0.0/0", "::/0"], "-", False),
        (["0.0.0.0/0", "::/0"], "", False),
        (["0.0.0.0/0", "::/0"], "unknown", False),
        ([], "127.0.0.1", False),
    ],
)
def test_a_peer_is_trusted_by_its_address(names: list[str], address: str, trusted: bool) -> None:
    assert (address in TrustedProxies(names)) == trusted


@pytest.mark.parametrize(
    ("text", "address"),
    [("192.0.2.1", "192.0.2.1"), ("2001:DB8::0:1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1")]
    + [(text, "") for text in ("", "-", "192.0.2", "192.0.2.01", "192.0.2.1 ", "a.example", "1.2.3.4\0", "é")],
)
def test_an_address_has_one_form(text: str, address: str) -> None:
    assert normal_address(text) == address


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('trusted_proxies = ["proxy.example"]', "expected addresses and networks"),
        ('trusted_proxies = ["10.0.0.1/8"]', "expected addresses and networks"),
        ('trusted_proxies = ["unix:"]', "expected addresses and networks"),
        ("proxy_protocol = true", "expected false, or the addresses of the proxies in trusted_proxies"),
        ('forwarded_fields = ["via"]', "forwarded_fields"),
        ('[origin]\nvia = "maybe"', "origin.via"),
    ],
)
def test_a_mistake_is_named(text: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        configured(tmp_path, text)
    assert fault in str(raised.value)


def test_an_edge_ignores_reloads_unless_it_is_told_to_honour_them() -> None:
    edge = {"edge": "http://a.example"}
    assert Settings.model_validate(edge).client_reload is ClientReload.IGNORE_WHEN_FRESH
    honouring = Settings.model_validate({**edge, "cache": {"client_reload": "honour"}})
    assert honouring.client_reload is honouring.policy().requests.client_reload is ClientReload.HONOUR
    assert Settings().client_reload is ClientReload.HONOUR
