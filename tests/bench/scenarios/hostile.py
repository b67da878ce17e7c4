"""Clients that send without end, or hardly at all: what memory each of them gets, and how long it may go on."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from itertools import chain, repeat

from tests.bench.finding import Finding, at_most
from tests.bench.lines import OURS
from tests.bench.peers.peer import Server
from tests.bench.stage import Stage

CLIENTS = 20
SENT = 8 << 20
"""Octets that each of them sends at most."""
PATIENCE = 30.0
MIB = 1 << 20
PIECE = 4096


def measure(stage: Stage) -> list[Finding]:
    """Return growth of memory for each such client, and what became of it."""
    found = []
    for what, begin, on, pause in _attacks(stage.origin.port):
        server = stage.start(OURS)
        _one(server, begin, on, 0.0, 4 * PIECE, 1)  # whatever is loaded at the first such request
        before = server.memory()
        server.forget_peak_memory()
        answers, seconds = _one(server, begin, on, pause, SENT, CLIENTS)
        grown = (server.memory("VmHWM") - before) / MIB / CLIENTS
        server.stop()
        found += [
            at_most(OURS, f"{what}: growth of memory for each client", max(grown, 0), 1, "MiB"),
            Finding(OURS, f"{what}: closed after", f"{seconds:.1f} s, saying {answers}"),
        ]
    return found


def _attacks(origin: int) -> Iterator[tuple[str, bytes, bytes, float]]:
    """Name, beginning, what follows again and again, seconds between."""
    host = f"127.0.0.1:{origin}"
    get = f"GET http://{host}/fresh/1k HTTP/1.1\r\nHost: {host}\r\n".encode()
    post = f"POST http://{host}/fresh/1k HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    yield "a request line without end", b"GET /", b"a" * PIECE, 0
    yield "a field without end", get + b"A: ", b"a" * PIECE, 0
    yield "fields without end", get, b"A: a\r\n" * (PIECE // 6), 0
    yield "a head of an octet a second", get + b"A: ", b"a", 1
    yield "a chunk extension without end", post + b"5;a=", b"a" * PIECE, 0
    yield "trailers without end", post + b"0\r\n", b"A: a\r\n" * (PIECE // 6), 0
    yield "a body of an octet a second", post, b"1\r\na\r\n", 1


def _one(server: Server, begin: bytes, on: bytes, pause: float, most: int, clients: int) -> tuple[str, float]:
    """Let clients do it together. Return what they were told, and seconds until the last was closed."""
    began = time.monotonic()
    open_still = {
        client: chain([begin], repeat(on, most // len(on)))
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
        time.sleep(pause)
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
