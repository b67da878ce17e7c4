"""The admin listener of a running proxy: where it listens, and what it does with connections."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import stat
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from addon.config.admin import AdminSettings
from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.imported_modules import found, modules_after
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.proxy_with_workers import kill_a_worker, start_workers, wait_until_gone


def ask_socket(path: Path, head: str) -> str:
    """Send a request head on a Unix socket. Return the response."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(str(path))
        connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65_536), b"")).decode("latin-1")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_unix_socket_is_for_this_user_only_and_is_gone_afterwards(workers: str, tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as left:  # by a process that was killed
        left.bind(str(path))
    command = ("secondhand", "serve", "--workers", workers)
    with Proxy(tmp_path, None, command, {"ADMIN__LISTEN": f"unix:{path}"}) as proxy:
        proxy.run("status")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        token = (tmp_path / "store" / "admin-token").read_text().strip()
        head = "GET /status HTTP/1.1\r\nHost: localhost"
        assert ask_socket(path, head).startswith("HTTP/1.1 401 ")
        assert ask_socket(path, f"{head}\r\nAuthorization: Bearer {token}").startswith("HTTP/1.1 200 ")
        proxy.stop()
    assert not path.exists()


def test_a_file_at_the_path_of_the_unix_socket_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("mine")
    with pytest.raises(AssertionError) as failed:
        Proxy(tmp_path, settings={"ADMIN__LISTEN": f"unix:{path}"})
    assert f"cannot listen on unix:{path} for the admin API: {path} exists, and is no socket" in str(failed.value)
    assert path.read_text() == "mine"


def test_an_address_in_use_is_named_with_the_setting(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(AssertionError) as failed:
            Proxy(tmp_path, settings={"ADMIN__LISTEN": address})
    assert f"secondhand: cannot listen on {address} for the admin API: " in str(failed.value)
    assert "the setting admin.listen chooses another address" in str(failed.value)


def test_without_a_listener_there_is_neither_a_place_nor_a_token(tmp_path: Path) -> None:
    with Proxy(tmp_path, settings={"ADMIN__LISTEN": "off"}) as proxy:
        assert '"admin": null' in proxy.run("status", "--json")
        assert not (tmp_path / "store" / "admin-token").exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_new_program_listens_at_the_same_address(workers: str, tmp_path: Path) -> None:
    with Proxy(tmp_path, None, ("secondhand", "serve", "--workers", workers)) as proxy:
        admin = admin_of(proxy)
        first = admin.get("/status").json
        proxy.signal(signal.SIGUSR2)
        proxy.wait_for_message("serves from now on")
        new = int(re.findall(r"process (\d+) serves from now on", proxy.messages)[-1])
        try:
            assert proxy.wait() == 0
            second = admin.get("/status").json
            assert second["admin"] == first["admin"]
            assert second.get("supervisor", second["workers"][0]["pid"]) == new
        finally:
            os.kill(new, signal.SIGTERM)
            wait_until_gone(new)


def test_a_reload_leaves_the_address_as_it_is_and_names_a_change_that_needs_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("")
    with Proxy(tmp_path, None, ("secondhand", "serve", "--config", str(file))) as proxy:
        admin = admin_of(proxy)
        file.write_text('[log]\nlevel = "info"\n')
        proxy.signal(signal.SIGHUP)
        proxy.wait_for_message("settings reloaded: log.level")
        assert admin.get("/status").status == 200
        file.write_text('[admin]\nlisten = "off"\n')
        proxy.signal(signal.SIGHUP)
        proxy.wait_for_message("settings not reloaded")
        assert "admin.listen: found 'off'" in proxy.messages
        assert admin.get("/status").status == 200


def test_hits_go_on_while_clients_hold_connections_without_a_request(tmp_path: Path) -> None:
    with Proxy(tmp_path) as proxy:
        admin = admin_of(proxy)
        held = [socket.create_connection((admin.host, admin.port)) for _ in range(150)]
        for each in held:
            with suppress(ConnectionError):  # closed in favour of another one
                each.sendall(b"GET /status HTTP/1.1\r\n")
        page = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)
        page.request("GET", "/")
        assert page.getresponse().status == 200
        page.close()
        assert admin.get("/status").status == 200
        for each in held:
            each.close()


@pytest.mark.parametrize(
    "listen",
    ["0.0.0.0:9000", "[::]:9000", "10.0.0.1:9000", "proxy.example:9000", "127.0.0.1", ":9000", "unix:", "on", ""],
)
def test_an_address_that_other_machines_can_reach_needs_a_name_by_which_they_use_it(listen: str) -> None:
    with pytest.raises(ValueError, match="an address of this machine only"):
        AdminSettings(listen=listen)


def test_with_such_a_name_it_may_listen_there() -> None:
    assert AdminSettings(hosts=("proxy.example",), listen="0.0.0.0:9000").address == ("0.0.0.0", 9000)
    assert AdminSettings(listen="[::1]:9000").address == ("::1", 9000)
    assert AdminSettings(listen="localhost:0").address == ("localhost", 0)
    with pytest.raises(ValueError, match="host names and addresses without a port"):
        AdminSettings(hosts=("proxy.example:9000",))


@pytest.mark.parametrize(
    ("listen", "names"),
    [
        ("192.0.2.7:9000", {"proxy.example", "192.0.2.7"}),
        ("[FD00::1]:9000", {"proxy.example", "[fd00::1]"}),
        ("0.0.0.0:9000", {"proxy.example"}),
        ("[::]:9000", {"proxy.example"}),
        ("unix:/run/admin.sock", {"proxy.example"}),
    ],
)
def test_it_may_be_asked_by_the_address_on_which_it_listens(listen: str, names: set[str]) -> None:
    assert AdminSettings(hosts=("proxy.example",), listen=listen).names == names


def test_the_address_of_the_page_is_admitted_on_any_loopback_address(tmp_path: Path) -> None:
    with Proxy(tmp_path, settings={"ADMIN__LISTEN": "127.0.0.2:0"}) as proxy:
        url = proxy.run("page", "--print-url").strip()
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
        connection.request("GET", "/page/")
        assert connection.getresponse().status == 200
        connection.close()


def test_the_http_server_is_imported_only_when_a_client_connects() -> None:
    modules = modules_after("import addon.serve.start, addon.serve.workers.supervisor, addon.cli.serve")
    assert "addon.cli.serve" in modules
    assert not found({"starlette", "uvicorn", "anyio", "h11"}, modules)


def test_a_supervisor_that_was_asked_still_starts_and_replaces_workers(tmp_path: Path) -> None:
    with start_workers(tmp_path) as proxy:
        admin = admin_of(proxy)
        held = socket.create_connection((admin.host, admin.port))  # new workers must not hold it
        before = {worker["pid"] for worker in admin.get("/status").json["workers"]}
        kill_a_worker(proxy)
        proxy.signal(signal.SIGHUP)
        proxy.wait_for_message("settings reloaded")
        after = {worker["pid"] for worker in admin.get("/status").json["workers"] if not worker["draining"]}
        assert len(after) == 2
        assert not before & after
        assert visit(proxy, "/") == 200
        held.settimeout(TIMEOUT)
        held.sendall(b"GET / HTTP/1.1\r\n\r\n")
        # up to its end, which comes since no other process has the connection
        assert b"".join(iter(lambda: held.recv(65_536), b"")).startswith(b"HTTP/1.1 400 ")
        held.close()
