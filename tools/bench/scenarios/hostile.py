"""Clients that send without end, or hardly at all: what memory each of them gets, and how long it may go on."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat

from tools.bench.finding import Finding, at_most
from tools.bench.lines import OURS
from tools.bench.peers.peer import Server
from tools.bench.scenarios.attacks import Attack, attacks
from tools.bench.scenarios.rude_origin import RudeOrigin
from tools.bench.stage import Stage

CLIENTS = 20
SENT = 8 << 20
"""Octets that each of them sends at most."""
PATIENCE = 15.0
"""Seconds; a head must be whole within ten."""
MIB = 1 << 20


def measure(stage: Stage) -> list[Finding]:
    """Return growth of memory for each such client, and what became of it."""
    with RudeOrigin(0, stage.bench.cores.origin) as origin:
        return [one for attack in attacks(origin.port) for one in _suffered(stage, attack)]


def _suffered(stage: Stage, attack: Attack) -> list[Finding]:
    server = stage.start(OURS)
    _attacked(server, replace(attack, pause=0), 16 << 10, 1)  # whatever is loaded at the first such request
    before = server.memory()
    server.forget_peak_memory()
    answers, seconds = _attacked(server, attack, SENT, CLIENTS)
    grown = (server.memory("VmHWM") - before) / MIB / CLIENTS
    server.stop()
    return [
        at_most(OURS, f"{attack.what}: growth of memory for each", max(grown, 0), 1, "MiB"),
        Finding(OURS, f"{attack.what}: the last was let go", f"after {seconds:.1f} s, with {answers}"),
    ]


def _attacked(server: Server, attack: Attack, most: int, clients: int) -> tuple[str, float]:
    """Let clients do it together. Return what they were told, and seconds until the last was closed."""
    began = time.monotonic()
    times = most // len(attack.on) if attack.on else 0
    open_still = {
        client: chain([attack.begin], repeat(attack.on, times))
        for client in (socket.create_connection(("127.0.0.1", server.place.port), 10) for _ in range(clients))
    }
    answers: set[str] = set()
    until = began + PATIENCE
    while open_still and time.monotonic() < until:
        for client, pieces in list(open_still.items()):
            if (said := _step(client, pieces)) is not None:
                answers.add(said)
                client.close()
                del open_still[client]
        time.sleep(attack.pause)
    if open_still:
        answers.add("nothing: it was still open")
    for client in open_still:
        client.close()
    return " or ".join(sorted(answers)), time.monotonic() - began


def _step(client: socket.socket, pieces: Iterator[bytes]) -> str | None:
    """Send one piece if it is taken. Return the status line once the connection is over, None while it is not."""
    readable, writable, _ = select.select([client], [client], [], 0)
    try:
        if readable:
            return _status(client.recv(4096))
        if writable and (piece := next(pieces, b"")):
            client.settimeout(5)
            client.sendall(piece)
    except TimeoutError:
        return "nothing: it stopped reading"
    except OSError:
        return "nothing"
    return None


def _status(octets: bytes) -> str:
    return octets.partition(b"\r\n")[0].decode(errors="replace")[:60] or "nothing"
