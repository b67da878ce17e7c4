"""A real proxy that is told to stop by a signal: responses under way end, and nothing that was stored is lost."""

from __future__ import annotations

import http.client
import os
import signal
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fixtures.environment import environment
from tests.fixtures.free_port import accepts_connections
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT, Proxy
from tests.fixtures.slow_page import SlowPage
from tests.fixtures.static_pages import serve_page
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.until import wait_until
from tests.fixtures.web_origin import Origin

FRESH = {"Cache-Control": "max-age=600"}
SETTINGS = {"ORIGIN__PROXY": "none"}
WAYS = ["forward", "forward, mitmproxy only", "intercepted TLS", "clear text in a tunnel", "raw tunnel"]
"""The ways of a request through the proxy."""


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayCA:
    return ThrowawayCA(tmp_path_factory.mktemp("ca"), "origins")


class Visit:
    """A proxy and its origin, and requests that go the same way through the proxy."""

    def __init__(self, way: str, folder: Path, ca: ThrowawayCA, **settings: str) -> None:
        self.way = way
        self.origin = Origin(ca.server_context("localhost") if way == "intercepted TLS" else None)
        settings |= {"TLS__LEAVE_ALONE": '["localhost"]'} if way == "raw tunnel" else {}
        command = ("secondhand", "serve", *(["--no-door"] if "mitmproxy" in way else []))
        self.proxy = Proxy(folder, ca.file, command, SETTINGS | settings)
        self._used: list[http.client.HTTPConnection | http.client.HTTPResponse] = []

    def connection(self) -> http.client.HTTPConnection:
        """Return a new connection to the proxy."""
        if self.way == "intercepted TLS":
            context = ssl.create_default_context(cafile=str(self.proxy.certificate))
            connection = http.client.HTTPSConnection("127.0.0.1", self.proxy.port, timeout=TIMEOUT, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=TIMEOUT)
        if not self.way.startswith("forward"):
            connection.set_tunnel("localhost", self.origin.port)
        self._used.append(connection)
        return connection

    def request(self, target: str) -> http.client.HTTPConnection:
        """Send a request, and return its connection."""
        connection = self.connection()
        prefix = f"http://localhost:{self.origin.port}" if self.way.startswith("forward") else ""
        connection.request("GET", prefix + target)
        return connection

    def response(self, target: str) -> http.client.HTTPResponse:
        """Send a request, and return the response as soon as its head is there."""
        response = self.request(target).getresponse()
        self._used.append(response)
        return response

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *exception: object) -> None:
        for used in self._used:
            used.close()
        self.proxy.__exit__(*exception)
        self.origin.stop()


@pytest.mark.parametrize("way", WAYS)
def test_a_response_under_way_is_completed_and_new_connections_are_refused(
    way: str, tmp_path: Path, ca: ThrowawayCA
) -> None:
    slow = SlowPage(FRESH)
    with Visit(way, tmp_path, ca) as visit:
        visit.origin.offer("/slow", slow)
        response = visit.response("/slow")
        begun = response.read(1000)
        visit.proxy.signal(signal.SIGTERM)
        wait_until(lambda: not accepts_connections(visit.proxy.port))
        slow.release()
        assert begun + response.read() == slow.content
        assert visit.proxy.wait() == 0
        assert ("/slow" in visit.proxy.run("ls")) == (way != "raw tunnel")


@pytest.mark.parametrize("way", WAYS[:-1])
def test_a_response_that_begins_while_the_proxy_stops_announces_the_end_of_its_connection(
    way: str, tmp_path: Path, ca: ThrowawayCA
) -> None:
    slow = SlowPage({"Cache-Control": "no-store"}, head_at_once=False)
    with Visit(way, tmp_path, ca) as visit:
        visit.origin.offer("/slow", slow)
        connection = visit.request("/slow")
        assert slow.begun.wait(TIMEOUT)
        visit.proxy.signal(signal.SIGTERM)
        wait_until(lambda: not accepts_connections(visit.proxy.port))
        slow.release()
        with connection.getresponse() as response:
            assert response.getheader("Connection") == "close"
            assert response.read() == slow.content
        assert visit.proxy.wait() == 0


@pytest.mark.parametrize("way", WAYS)
def test_idle_connections_do_not_delay_the_end(way: str, tmp_path: Path, ca: ThrowawayCA) -> None:
    with Visit(way, tmp_path, ca, DRAIN_TIMEOUT="1h") as visit:
        serve_page(visit.origin, "/a", b"a", FRESH)
        assert visit.response("/a").read() == b"a"
        visit.proxy.signal(signal.SIGTERM)
        assert visit.proxy.wait() == 0


@pytest.mark.parametrize(
    ("way", "second"),
    [*((way, signal.SIGTERM) for way in WAYS), ("forward", signal.SIGINT), ("forward", signal.SIGQUIT)],
)
def test_a_second_signal_ends_the_proxy_at_once(way: str, second: int, tmp_path: Path, ca: ThrowawayCA) -> None:
    slow = SlowPage(FRESH)
    with Visit(way, tmp_path, ca, DRAIN_TIMEOUT="1h") as visit:
        visit.origin.offer("/slow", slow)
        response = visit.response("/slow")
        response.read(1000)
        visit.proxy.signal(signal.SIGINT)
        wait_until(lambda: not accepts_connections(visit.proxy.port))
        visit.proxy.signal(second)
        assert visit.proxy.wait() == 0
        with pytest.raises((http.client.IncompleteRead, OSError)):
            response.read()
        slow.release()


def test_responses_that_do_not_end_in_time_are_cut(tmp_path: Path, ca: ThrowawayCA) -> None:
    slow = SlowPage(FRESH)
    with Visit("forward", tmp_path, ca, DRAIN_TIMEOUT="100 ms") as visit:
        visit.origin.offer("/slow", slow)
        response = visit.response("/slow")
        visit.proxy.signal(signal.SIGTERM)
        assert visit.proxy.wait() == 0
        with pytest.raises((http.client.IncompleteRead, OSError)):
            response.read()
        slow.release()


@pytest.mark.parametrize(
    "signals", [[signal.SIGQUIT], [signal.SIGTERM, signal.SIGTERM], [signal.SIGTERM], [signal.SIGHUP, signal.SIGINT]]
)
def test_what_was_answered_as_stored_is_never_lost(signals: list[int], tmp_path: Path, ca: ThrowawayCA) -> None:
    slow = SlowPage(FRESH)
    with Visit("forward", tmp_path, ca) as visit:
        visit.origin.offer("/slow", slow)
        targets = [f"/{number}" for number in range(30)]
        for target in targets:
            serve_page(visit.origin, target, target.encode() * 1000, FRESH)
        if len(signals) != 1 or signals == [signal.SIGQUIT]:
            visit.response("/slow")  # else a second signal might find the proxy at its end already
        for target in targets:
            response = visit.response(target)
            assert str(response.getheader("Cache-Status")).endswith("stored")
            response.read()
        for number in signals:
            visit.proxy.signal(number)
        slow.release()
        assert visit.proxy.wait() == 0
        stored = {f"http://localhost:{visit.origin.port}{target}" for target in targets}
        assert stored <= set(visit.proxy.run("ls").split())


# ---- signals to a proxy that starts


def starting_proxy(folder: Path, *options: str) -> subprocess.Popen[str]:
    """Return a proxy that has caught its signals and does not listen yet."""
    settings = {"SECONDHAND_LISTEN": "127.0.0.1:0", "SECONDHAND_STORE__PATH": str(folder / "store")}
    process = subprocess.Popen(
        [COMMANDS / "secondhand", "serve", *options],
        env=environment(folder) | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_until(lambda: process.poll() is not None or catches(process.pid, signal.SIGHUP))
    assert process.poll() is None
    return process


def catches(process_id: int, number: int) -> bool:
    status = Path(f"/proc/{process_id}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def is_ended(pipe: Path) -> bool:
    """Bring what reads a named pipe to its end; return whether something reads it."""
    with suppress(OSError):
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_proxy_that_is_stopped_while_it_starts_ends_as_usual(number: int, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    os.mkfifo(settings)  # it is read to its end only after the signal
    process = starting_proxy(tmp_path, "--config", str(settings))
    process.send_signal(number)
    wait_until(lambda: is_ended(settings))
    output, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, output
    assert "listens" not in output


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_a_proxy_that_is_told_to_reload_while_it_starts_goes_on(number: int, tmp_path: Path) -> None:
    process = starting_proxy(tmp_path)
    process.send_signal(number)
    assert process.stdout
    printed = iter(process.stdout)
    assert any("listens on" in line for line in printed)
    process.terminate()
    for _ in printed:
        pass
    assert process.wait(TIMEOUT) == 0
    process.stdout.close()


def test_a_second_signal_ends_a_start_that_takes_too_long(tmp_path: Path) -> None:
    process = starting_proxy(tmp_path)
    for _ in range(20):
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0


def test_a_closed_terminal_does_not_end_the_proxy(tmp_path: Path, ca: ThrowawayCA) -> None:
    with Visit("forward", tmp_path, ca) as visit:
        serve_page(visit.origin, "/a", b"a", FRESH)
        visit.proxy.signal(signal.SIGHUP)
        visit.proxy.wait_for_message("settings reloaded: nothing has changed")
        assert visit.response("/a").read() == b"a"
        visit.proxy.stop()
