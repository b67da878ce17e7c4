"""The modes of `serve` with mitmproxy: which are an edge, and which are refused."""

from __future__ import annotations

import pytest

from addon.config.errors import ConfigError
from addon.config.settings import Settings
from addon.frontend.mitm.serve.served_modes import edge_of, refuse_modes


@pytest.mark.parametrize(
    ("modes", "edge"),
    [
        (["reverse:http://app.example:8000"], "http://app.example:8000"),
        (["reverse:app.example@8081"], "https://app.example:443"),
        (["reverse:http://[::1]:80"], "http://[::1]:80"),
        (["reverse:tcp://app.example:25"], None),
        (["reverse:http://a.example", "reverse:http://b.example@8081"], None),
        (["socks5"], None),
    ],
)
def test_a_single_reverse_proxy_for_http_is_an_edge(modes: list[str], edge: str | None) -> None:
    assert edge_of(modes) == edge


@pytest.mark.parametrize("mode", ["socks5@0.0.0.0:1080", "regular@:8081", "socks5@[::]:1080"])
def test_a_mode_may_not_listen_for_other_machines_while_the_proxy_does_not(mode: str) -> None:
    """The limits on targets, and what is stored for one user, depend on it."""
    with pytest.raises(ConfigError, match='expected that "listen"'):
        refuse_modes(["regular", mode], Settings(listen="127.0.0.1:8080"))

    refuse_modes(["regular", mode], Settings(listen="0.0.0.0:8080"))


def test_an_edge_has_no_other_mode() -> None:
    """Targets of a forward proxy would have no limits."""
    with pytest.raises(ConfigError, match="expected no other mode"):
        refuse_modes(["socks5"], Settings(edge="http://app.example"))


def test_sites_are_refused_since_a_reverse_proxy_of_mitmproxy_has_one_origin() -> None:
    settings = Settings.model_validate({"site": [{"hosts": ["a.example"], "origins": ["http://127.0.0.1:8000"]}]})
    with pytest.raises(ConfigError, match="expected `edge`"):
        refuse_modes([], settings)
    refuse_modes([], Settings(edge="http://127.0.0.1:8000"))


@pytest.mark.parametrize("url", ["unix:/run/app.sock", "http://127.0.0.1:8000/app"])
def test_mitmproxy_has_no_origins_with_a_socket_or_a_prefix(url: str) -> None:
    with pytest.raises(ConfigError, match="a URL without a path"):
        refuse_modes([], Settings(edge=url))
