"""The lines that tell people how to try the proxy."""

from __future__ import annotations

import pytest

from addon.config.settings import Settings
from addon.serve.announcement import announce


def test_the_command_to_try_an_edge_has_the_header_that_its_listener_expects(
    capsys: pytest.CaptureFixture[str],
) -> None:
    edge = Settings(edge="http://127.0.0.1:8000", proxy_protocol=True, trusted_proxies=("127.0.0.1",))
    announce(edge, "memory", (), "127.0.0.1", 8080)
    assert "try it twice: curl -i --haproxy-protocol http://127.0.0.1:8080/\n" in capsys.readouterr().out


@pytest.mark.parametrize(("listens", "reached"), [("0.0.0.0", "127.0.0.1:3128"), ("::", "[::1]:3128")])
def test_the_command_to_try_a_proxy_on_all_addresses_uses_one_that_clients_can_reach(
    listens: str, reached: str, capsys: pytest.CaptureFixture[str]
) -> None:
    announce(Settings(), "memory", (), listens, 3128)
    assert f"try it twice: curl -i -x http://{reached} http://example.org/\n" in capsys.readouterr().out
