"""Hostile clients of HTTP/2: how much longer a bystander's hit takes, and the memory of ten of them.

A hostile client connects again whenever its connection is ended. nginx is measured in the same run; it has no targets.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Self

from addon.origin.http2 import frames
from tools.bench.comparisons import OURS
from tools.bench.peers.peer import Server
from tools.bench.scenario_result import ScenarioResult, at_most
from tools.bench.scenarios.http2_attacks import ATTACKS, Http2Attack, Requests
from tools.bench.testbed import Testbed
from tools.bench.workload import Workload, generator_options, run_generator

SERVERS = (OURS, "nginx")

BYSTANDER = Workload("/fresh/1k", rate=500)
BYSTANDER_CONNECTIONS = 4
SECONDS = 2.0

MANY = 10
"""Hostile clients whose memory is measured."""

RECONNECT = 0.02
"""Seconds after which a client whose connection was ended connects again."""

MIB = 1 << 20


def measure(testbed: Testbed) -> list[ScenarioResult]:
    """Return for each attack what it costs a bystander, and the server."""
    return [
        result
        for attack in ATTACKS
        for name in testbed.options.available(SERVERS)
        for result in _results(testbed, name, attack)
    ]


def _results(testbed: Testbed, name: str, attack: Http2Attack) -> list[ScenarioResult]:
    server = testbed.start_server(name)
    _bystander(testbed, server, seconds=0.5)  # loads modules, and stores the response
    with Hostile(server, attack, clients=1):
        time.sleep(0.3)  # likewise for HTTP/2
    before = _bystander(testbed, server, SECONDS)
    with Hostile(server, attack, clients=1):
        during = _bystander(testbed, server, SECONDS)
    memory = server.memory()
    server.reset_peak_memory()
    with Hostile(server, attack, clients=MANY):
        time.sleep(SECONDS)
    growth = (server.memory("VmHWM") - memory) / MIB
    server.stop()
    return [
        _with_target(at_most(name, f"{attack.name}: added to a bystander's p99", (during - before) * 1000, 20, "ms")),
        _with_target(at_most(name, f"{attack.name}: memory of {MANY} such clients", max(growth, 0), 10, "MiB")),
    ]


def _with_target(result: ScenarioResult) -> ScenarioResult:
    """Return a result without its target if it is not ours."""
    return result if result.server == OURS else replace(result, target="", reached=None)


def _bystander(testbed: Testbed, server: Server, seconds: float) -> float:
    """Return the 99th percentile of the time that a hit takes, in seconds."""
    options = generator_options(BYSTANDER, server, BYSTANDER_CONNECTIONS, seconds)
    return run_generator(options, testbed.options.cores.load)["p99"]


class Hostile:
    """Hostile clients, in a thread of their own."""

    def __init__(self, server: Server, attack: Http2Attack, *, clients: int) -> None:
        settings = server.settings
        self._port = settings.port if server.peer.is_forward_proxy else settings.http2_port
        self._requests = Requests(f"127.0.0.1:{settings.origin_port}")
        self._attack = attack
        self._clients: list[_Client | None] = [None] * clients
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            for index, client in enumerate(self._clients):
                if client is None:
                    self._clients[index] = _Client(self._port, self._attack.pieces(self._requests))
                elif not client.send():
                    client.close()
                    self._clients[index] = None
            time.sleep(RECONNECT if None in self._clients else 0.001)
        for client in self._clients:
            if client is not None:
                client.close()


class _Client:
    """One connection that sends as much as the server takes, and reads nothing."""

    def __init__(self, port: int, pieces: Iterator[bytes]) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setblocking(False)
        self._pieces = pieces
        self._rest = frames.PREFACE + frames.settings_frame({})

    def send(self) -> bool:
        """Send what the socket takes now; return False once the connection is ended."""
        try:
            for _ in range(100):
                self._rest = self._rest or next(self._pieces, b"")
                if not self._rest:
                    break
                self._rest = self._rest[self._socket.send(self._rest) :]
        except BlockingIOError:
            pass
        except OSError:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return not poll.poll(0)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()
