"""An edge in front of origins that are killed and started again while clients ask: no client notices."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import Proxy

ORIGIN = """
import socket, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # a response is sent whole or not at all: one that has begun is not asked for again

    def do_GET(self):
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store" if self.path.startswith("/no-store") else "max-age=60")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class KillableOrigin:
    """A server in a process of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", ORIGIN, str(self.port)])
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError("the origin did not start")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@contextmanager
def origins(count: int) -> Iterator[list[KillableOrigin]]:
    started = [KillableOrigin(free_port()) for _ in range(count)]
    try:
        yield started
    finally:
        for each in started:
            each.kill()


class Load:
    """Clients that ask all the time, with connections that stay open."""

    def __init__(self, port: int, clients: int = 4) -> None:
        self.results: Counter[object] = Counter()
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(clients)]

    def _ask(self, client: int) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        number = 0
        while not self._stop.is_set():
            number += 1
            kind = "no-store" if number % 2 else "new"
            try:
                connection.request("GET", f"/{kind}/{client}/{number}", headers={"Host": "app.example"})
                response = connection.getresponse()
                self.results[(response.status, response.read().decode())] += 1
            except (HTTPException, OSError) as error:
                self.results[repr(error)] += 1
                connection.close()
        connection.close()

    def wait_for_requests(self, count: int) -> None:
        """Wait until so many more requests were answered."""
        wanted = self.results.total() + count
        while self.results.total() < wanted:
            time.sleep(0.01)

    def wait_for_answer_of(self, origin: KillableOrigin) -> None:
        """Wait until one more request was answered by an origin."""
        answer = (200, str(origin.port))
        before = self.results[answer]
        while self.results[answer] == before:
            time.sleep(0.01)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def settings(ports: list[int], **keys: object) -> dict[str, str]:
    site = {"hosts": ["app.example"], "origins": [f"http://127.0.0.1:{port}" for port in ports], **keys}
    table = ", ".join(f"{name} = {json.dumps(value)}" for name, value in site.items())
    return {"SITE": f"[{{ {table} }}]", "ORIGIN__PROXY": "none"}


@pytest.mark.parametrize("balance", ["least_busy", "hash"])
@pytest.mark.parametrize("count", [2, 3])
def test_no_client_notices_that_origins_are_killed_and_started_again(count: int, balance: str, tmp_path: Path) -> None:
    with origins(count) as servers:
        keys = {"balance": balance, "fail_timeout": 0.2}
        with Proxy(tmp_path, settings=settings([server.port for server in servers], **keys)) as proxy:
            with Load(proxy.port) as load:
                load.wait_for_requests(200)
                for round_number in range(3):
                    killed = [server for server in servers if server is not servers[round_number % count]]
                    for server in killed:
                        server.kill()
                    load.wait_for_requests(200)
                    for server in killed:
                        server.start()
                    load.wait_for_requests(200)
                    proxy.wait_for_message("is up again")
            assert {result[0] if isinstance(result, tuple) else result for result in load.results} == {200}
            assert len(load.results) == count  # each origin has answered
            assert "is asked only once a second" not in proxy.messages


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sites_are_reloaded_under_load_without_a_lost_request(workers: str, tmp_path: Path) -> None:
    with origins(3) as servers:
        file = tmp_path / "settings.toml"
        urls = [f"http://127.0.0.1:{server.port}" for server in servers]

        def write(*chosen: str) -> None:
            file.write_text(f'[[site]]\nhosts = ["app.example"]\norigins = {json.dumps(chosen)}\n')

        write(urls[0])
        given = {"CONFIG": str(file), "ORIGIN__PROXY": "none", "WORKERS": workers}
        with Proxy(tmp_path, settings=given) as proxy:
            with Load(proxy.port) as load:
                for number in range(12):
                    load.wait_for_requests(50)
                    if number % 4 == 3:
                        file.write_text('[[site]]\nhosts = ["app.example:80"]\norigins = []\n')
                    else:
                        write(urls[number % 3], urls[(number + 1) % 3])
                    proxy.signal(signal.SIGHUP)
                proxy.wait_for_message("settings not reloaded")
                for server, url in zip(servers, urls, strict=True):  # with workers, a reload takes a while
                    write(url)
                    proxy.signal(signal.SIGHUP)
                    load.wait_for_answer_of(server)
            assert {result[0] if isinstance(result, tuple) else result for result in load.results} == {200}
