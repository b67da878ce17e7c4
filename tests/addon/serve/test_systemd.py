"""A real proxy under a service manager like systemd: it tells what it does, and accepts clients on a passed socket."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from addon.serve.inherited_sockets import InheritedSockets, inherited_sockets
from addon.serve.systemd import ServiceManager as Told
from tests.fixtures.environment import environment
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT, Proxy
from tests.fixtures.proxy_with_workers import kill_a_worker, wait_until_gone, workers_of
from tests.fixtures.service_manager import ServiceManager, activated
from tests.fixtures.static_pages import serve_page
from tests.fixtures.steady_clients import SteadyClients
from tests.fixtures.web_origin import Origin

WORKERS = ["1", "2"]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[ServiceManager]:
    with ServiceManager(tmp_path) as manager:
        yield manager


@pytest.fixture
def notified(manager: ServiceManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the proxy tell the manager, which wants a sign of life every second."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(manager.path))
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")


@pytest.mark.usefixtures("notified")
@pytest.mark.parametrize("workers", WORKERS)
def test_the_manager_is_told_of_start_reload_and_stop(workers: str, manager: ServiceManager, tmp_path: Path) -> None:
    with Proxy(tmp_path, command=("secondhand", "serve", "--workers", workers)) as proxy:
        started = manager.next()
        assert started["READY"] == "1"
        assert started["STATUS"].startswith("serves clients on 127.0.0.1")
        manager.wait_for("WATCHDOG")
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        proxy.signal(signal.SIGHUP)
        reloading = manager.next()
        assert reloading["RELOADING"] == "1"
        assert int(reloading["MONOTONIC_USEC"]) >= before
        assert manager.next()["READY"] == "1"
        proxy.signal(signal.SIGTERM)
        assert manager.next()["STOPPING"] == "1"
        assert proxy.wait() == 0


@pytest.mark.usefixtures("notified")
@pytest.mark.parametrize("workers", WORKERS)
def test_an_upgrade_tells_the_new_main_process(workers: str, manager: ServiceManager, tmp_path: Path) -> None:
    with Proxy(tmp_path, command=("secondhand", "serve", "--workers", workers)) as proxy:
        manager.next()
        proxy.signal(signal.SIGUSR2)
        assert manager.next()["READY"] == "1"
        new = int(manager.next()["MAINPID"])
        assert proxy.wait() == 0
        manager.wait_for("WATCHDOG")
        os.kill(new, signal.SIGTERM)
        assert manager.next()["STOPPING"] == "1"
        wait_until_gone(new)


@pytest.mark.usefixtures("notified")
def test_there_is_no_sign_of_life_while_all_workers_hang(manager: ServiceManager, tmp_path: Path) -> None:
    with Proxy(tmp_path, command=("secondhand", "serve", "--workers", "2")) as proxy:
        manager.wait_for("WATCHDOG")
        first, second = workers_of(proxy)
        os.kill(first, signal.SIGSTOP)
        manager.wait_for("WATCHDOG")
        os.kill(second, signal.SIGSTOP)
        assert manager.is_silent_for(3.0)
        os.kill(first, signal.SIGCONT)
        os.kill(second, signal.SIGCONT)
        manager.wait_for("WATCHDOG")
        kill_a_worker(proxy)
        proxy.stop()


def test_an_abstract_socket_is_told_and_a_dead_one_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(f"\0secondhand-{os.getpid()}")
        told = Told({"NOTIFY_SOCKET": f"@secondhand-{os.getpid()}"})
        told.ready("a")
        assert manager.recv(100) == b"READY=1\nSTATUS=a"
    told.ready("b")
    assert "systemd could not be told READY=1" in caplog.text


@pytest.mark.parametrize(
    ("variables", "interval"),
    [
        ({}, 0),
        ({"WATCHDOG_USEC": "30000000"}, 15),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15),
        ({"WATCHDOG_USEC": "soon"}, 0),
    ],
)
def test_how_often_a_sign_of_life_is_wanted(variables: dict[str, str], interval: float) -> None:
    assert Told(variables).sign_of_life_interval == interval


# ---- socket activation


@contextmanager
def service(folder: Path, listener: socket.socket, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A proxy that was given a socket."""
    process = subprocess.Popen(
        activated(listener, COMMANDS / "secondhand", "serve", *options),
        env=environment(folder) | {"SECONDHAND_STORE__PATH": str(folder / "store"), "SECONDHAND_ORIGIN__PROXY": "none"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=[listener.fileno()],
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("workers", WORKERS)
def test_a_service_is_started_again_on_its_socket_and_no_request_fails(workers: str, tmp_path: Path) -> None:
    with Origin() as origin, socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        serve_page(origin, "/", b"a", {"Cache-Control": "max-age=600"})
        options = ("--workers", workers, "--edge", f"http://127.0.0.1:{origin.port}")
        with SteadyClients(listener.getsockname()[1]) as clients:
            for _ in range(2):
                with service(tmp_path, listener, *options) as proxy:
                    clients.wait_for_more()
                    proxy.terminate()
                    output, _ = proxy.communicate(timeout=TIMEOUT)
                    assert proxy.returncode == 0, output
                    assert f"listens on http://127.0.0.1:{listener.getsockname()[1]}" in output
            with service(tmp_path, listener, *options):
                clients.wait_for_more()
                clients.stop()
        assert clients.failed == []


def test_private_copies_are_not_exposed_by_a_passed_socket(tmp_path: Path) -> None:
    (tmp_path / "dev.toml").write_text("profile = 'dev'")
    with socket.create_server(("0.0.0.0", 0)) as listener:
        with service(tmp_path, listener, "--config", str(tmp_path / "dev.toml")) as proxy:
            output, _ = proxy.communicate(timeout=TIMEOUT)
        assert proxy.returncode == 2
        assert "which other machines can reach" in output


def test_a_passed_socket_that_clients_cannot_use_is_refused(tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        with service(tmp_path, datagrams) as proxy:
            output, _ = proxy.communicate(timeout=TIMEOUT)
    assert proxy.returncode == 1
    assert re.search(r"systemd passed the socket .*, expected one that listens for TCP", output)


def test_sockets_for_another_process_are_not_taken() -> None:
    variables = {"LISTEN_PID": "1", "LISTEN_FDS": "1"}
    assert inherited_sockets(variables) == InheritedSockets()
    assert variables == {}
