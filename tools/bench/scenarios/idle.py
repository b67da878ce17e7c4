"""Ten thousand clients that have had an answer, and stay connected."""

from __future__ import annotations

import resource
import socket
import time

from tools.bench.finding import Finding, at_most
from tools.bench.lines import OURS
from tools.bench.stage import Stage
from tools.bench.work import LoadFailed

CLIENTS = 10_000
MIB = 1 << 20


def measure(stage: Stage) -> list[Finding]:
    """Return the peak of memory."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for the server, which inherits it, as for this
    server = stage.start(OURS)
    host = f"127.0.0.1:{stage.origin.port}"
    request = f"GET {server.url(host, '/fresh/1k')} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    clients: list[socket.socket] = []
    try:
        for _ in range(CLIENTS):
            clients.append(socket.create_connection(("127.0.0.1", server.place.port), 30))
            clients[-1].sendall(request)
            if not clients[-1].recv(4096).startswith(b"HTTP/1.1 2"):
                raise LoadFailed(f"client {len(clients):,} had no answer")
        time.sleep(2)
        open_still = sum(_is_open(client) for client in clients)
        return [
            Finding(OURS, "idle connections still open", f"{open_still:,}", f"{CLIENTS:,}", open_still == CLIENTS),
            at_most(OURS, f"peak memory with {CLIENTS:,} of them", server.memory("VmHWM") / MIB, 450, "MiB"),
        ]
    finally:
        for client in clients:
            client.close()


def _is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        while octets := client.recv(65_536):
            assert octets
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
