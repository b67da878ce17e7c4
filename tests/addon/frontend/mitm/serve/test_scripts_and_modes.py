"""The scripts and modes of `serve`, as far as they are known without mitmproxy."""

from __future__ import annotations

import pytest

from addon.frontend.mitm.serve.scripts_and_modes import ScriptsAndModes


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        ([], True),
        (["socks5"], True),
        (["socks5@127.0.0.1:1080"], False),
        (["reverse:http://a.example@8081", "socks5@1080"], False),
        (["regular", "socks5@1080"], True),
    ],
)
def test_the_setting_listen_is_for_modes_that_name_no_address(modes: list[str], expected: bool) -> None:
    """A start failed because of a port that none of the modes uses."""
    assert ScriptsAndModes(modes=modes).use_listen is expected
