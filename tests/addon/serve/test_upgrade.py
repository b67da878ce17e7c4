"""A real proxy that is upgraded: the program is started anew on the same sockets, and no request fails."""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path

import pytest

from tests.fixtures.proxy_process import Proxy
from tests.fixtures.proxy_with_workers import wait_until_gone
from tests.fixtures.static_pages import serve_page
from tests.fixtures.steady_clients import SteadyClients
from tests.fixtures.web_origin import Origin

FRESH = {"Cache-Control": "max-age=600"}


def newest(proxy: Proxy) -> int:
    """Return the process that has taken the place of the proxy, once there is one."""
    proxy.wait_for_message("serves from now on")
    found = re.findall(r"process (\d+) serves from now on", proxy.messages)
    return int(found[-1])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_new_program_takes_the_sockets_over_and_no_request_fails(
    workers: str, tmp_path: Path, origin: Origin
) -> None:
    serve_page(origin, "/", b"a" * 1000, FRESH)
    command = ("secondhand", "serve", "--workers", workers, "--edge", f"http://127.0.0.1:{origin.port}")
    with Proxy(tmp_path, None, command, {"ORIGIN__PROXY": "none"}) as proxy, SteadyClients(proxy.port) as clients:
        clients.wait_for_more()
        proxy.signal(signal.SIGUSR2)
        new = newest(proxy)
        clients.wait_for_more()
        assert proxy.wait() == 0
        clients.wait_for_more()
    os.kill(new, signal.SIGTERM)
    wait_until_gone(new)
    assert clients.failed == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_during_an_upgrade_stops_the_new_program_too(workers: str, tmp_path: Path) -> None:
    with Proxy(tmp_path, None, ("secondhand", "serve", "--workers", workers)) as proxy:
        proxy.signal(signal.SIGUSR2)
        proxy.wait_for_message("the program is started anew")
        proxy.signal(signal.SIGTERM)
        assert proxy.wait() == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", proxy.port)).close()


def test_a_new_program_that_cannot_start_changes_nothing(tmp_path: Path, origin: Origin) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("")
    with Proxy(tmp_path, settings={"CONFIG": str(file), "ORIGIN__PROXY": "none"}) as proxy:
        file.write_text("[answer]\nnames = 'x'")
        proxy.signal(signal.SIGUSR2)
        proxy.wait_for_message("the new program does not serve: it ended with exit code 2; this one goes on")
        assert "answer.names: unknown key" in proxy.messages
        file.write_text("")
        proxy.signal(signal.SIGUSR2)
        new = newest(proxy)
        assert proxy.wait() == 0
        os.kill(new, signal.SIGTERM)
        wait_until_gone(new)


def test_mitmproxy_cannot_be_upgraded(tmp_path: Path) -> None:
    with Proxy(tmp_path, command=("secondhand", "serve", "--no-door")) as proxy:
        proxy.signal(signal.SIGUSR2)
        proxy.wait_for_message("no upgrade with --script, --mode or --no-door")
        proxy.stop()
