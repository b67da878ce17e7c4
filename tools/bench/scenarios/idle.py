"""Ten thousand idle connections: each client gets one response and stays connected."""

from __future__ import annotations

import resource
import socket
import time

from tools.bench.comparisons import OURS
from tools.bench.scenario_result import ScenarioResult, at_most
from tools.bench.testbed import Testbed
from tools.bench.workload import LoadFailed

CLIENTS = 10_000
MIB = 1 << 20


def measure(testbed: Testbed) -> list[ScenarioResult]:
    """Return how many connections stay open, and the peak of memory. Raises LoadFailed."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))  # for this process, and the server, which inherits it
    server = testbed.start_server(OURS)
    host = f"127.0.0.1:{testbed.origin.port}"
    request = f"GET {server.request_target(host, '/fresh/1k')} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    clients: list[socket.socket] = []
    try:
        for _ in range(CLIENTS):
            clients.append(socket.create_connection(("127.0.0.1", server.settings.port), 30))
            clients[-1].sendall(request)
            if not clients[-1].recv(4096).startswith(b"HTTP/1.1 2"):
                raise LoadFailed(f"client {len(clients):,} got no successful response")
        time.sleep(2)
        count = sum(_is_open(client) for client in clients)
        return [
            ScenarioResult(OURS, "idle connections still open", f"{count:,}", f"{CLIENTS:,}", count == CLIENTS),
            at_most(
                OURS, f"peak memory with {CLIENTS:,} idle connections", server.memory("VmHWM") / MIB, 450, unit="MiB"
            ),
        ]
    finally:
        for client in clients:
            client.close()


def _is_open(client: socket.socket) -> bool:
    """Read the rest of the response, and tell whether the server has kept the connection open."""
    client.setblocking(False)
    try:
        while client.recv(65_536):
            continue
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
