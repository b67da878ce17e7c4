"""Clients and origins that send endless messages, or very slow ones: memory per client, and time until the end."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat

from tools.bench.comparisons import OURS
from tools.bench.peers.peer import Server
from tools.bench.scenario_result import ScenarioResult, at_most
from tools.bench.scenarios.attacks import Attack, attacks
from tools.bench.scenarios.synthetic_origin import SyntheticOrigin
from tools.bench.testbed import Testbed

CLIENTS = 20
MAX_SENT = 8 << 20
"""Bytes that each client sends at most."""
TIMEOUT = 15.0
"""Seconds until clients give up; by default secondhand waits ten seconds for a complete head."""
MIB = 1 << 20


def measure(testbed: Testbed) -> list[ScenarioResult]:
    """Return for each attack the growth of memory per client, and how the connections ended."""
    with SyntheticOrigin(0, testbed.options.cores.origin) as origin:
        return [result for attack in attacks(origin.port) for result in _results(testbed, attack)]


def _results(testbed: Testbed, attack: Attack) -> list[ScenarioResult]:
    server = testbed.start_server(OURS)
    # the first such request loads modules, whose memory is not to be counted
    _run(server, replace(attack, pause=0), max_sent=16 << 10, clients=1)
    before = server.memory()
    server.reset_peak_memory()
    endings, seconds = _run(server, attack, max_sent=MAX_SENT, clients=CLIENTS)
    growth = (server.memory("VmHWM") - before) / MIB / CLIENTS
    server.stop()
    return [
        at_most(OURS, f"{attack.name}: memory growth per client", max(growth, 0), 1, "MiB"),
        ScenarioResult(OURS, f"{attack.name}: last connection closed", f"after {seconds:.1f} s, with {endings}"),
    ]


def _run(server: Server, attack: Attack, *, max_sent: int, clients: int) -> tuple[str, float]:
    """Let clients attack together. Return how their connections ended, and seconds until the last one was closed."""
    start = time.monotonic()
    repeats = max_sent // len(attack.repeated) if attack.repeated else 0
    connections = {
        client: chain([attack.start], repeat(attack.repeated, repeats))
        for client in (socket.create_connection(("127.0.0.1", server.settings.port), 10) for _ in range(clients))
    }
    endings: set[str] = set()
    deadline = start + TIMEOUT
    while connections and time.monotonic() < deadline:
        for client, pieces in list(connections.items()):
            if (ending := _step(client, pieces)) is not None:
                endings.add(ending)
                client.close()
                del connections[client]
        time.sleep(attack.pause)
    if connections:
        endings.add("no response: the connection was still open")
    for client in connections:
        client.close()
    return " or ".join(sorted(endings)), time.monotonic() - start


def _step(client: socket.socket, pieces: Iterator[bytes]) -> str | None:
    """Send one piece if the socket accepts it. Return how the connection ended, or None while it is open."""
    readable, writable, _ = select.select([client], [client], [], 0)
    try:
        if readable:
            return _status_line(client.recv(4096))
        if writable and (piece := next(pieces, b"")):
            client.settimeout(5)
            client.sendall(piece)
    except TimeoutError:
        return "no response: the server stopped reading"
    except OSError:
        return "no response"
    return None


def _status_line(data: bytes) -> str:
    return data.partition(b"\r\n")[0].decode(errors="replace")[:60] or "no response"
