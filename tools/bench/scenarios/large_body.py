"""A body of 10 GiB passes: as a miss, as a hit, and beside that to somebody who reads slowly."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from contextlib import closing

from tools.bench.finding import Finding, at_most
from tools.bench.lines import OURS
from tools.bench.peers.peer import Server
from tools.bench.scenarios.rude_origin import RudeOrigin
from tools.bench.stage import Stage
from tools.bench.work import LoadFailed

GIB, MIB = 1 << 30, 1 << 20
WANTED = 10 * GIB
ENOUGH = 25 * GIB
"""Of free disk space for the wanted size; with less of it the body is smaller."""


def measure(stage: Stage) -> list[Finding]:
    """Return how far memory grows at its peak, and how fast it goes."""
    size = WANTED if shutil.disk_usage(stage.folder).free >= ENOUGH else GIB
    large = f"{size // GIB} GiB"
    server = stage.start(OURS, SECONDHAND_STORE__MAX_SIZE="40 GiB", SECONDHAND_STORE__MAX_OBJECT="20 GiB")
    found = []
    with RudeOrigin(size, stage.bench.cores.origin) as origin:
        url = f"http://127.0.0.1:{origin.port}"
        _read(server, f"{url}/one")
        before = server.memory()
        for what in ("miss", "hit"):
            server.forget_peak_memory()
            slow = threading.Thread(target=_read_slowly, args=(server, f"{url}/large"), daemon=True)
            slow.start()
            began = time.monotonic()
            head = _read(server, f"{url}/large", size)
            speed = size / MIB / (time.monotonic() - began)
            slow.join()
            grown = (server.memory("VmHWM") - before) / MIB
            found += [
                Finding(OURS, f"{large}, {what}, beside a slow reader", f"{speed:,.0f} MiB/s"),
                at_most(OURS, f"{large}, {what}: growth of memory at its peak", grown, 64, "MiB"),
            ]
        is_hit = b" 203 " in head.split(b"\r\n")[0]
        return [*found, Finding(OURS, "the second answer came from the copy", str(is_hit), "True", is_hit)]


def _connected(server: Server, url: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", server.place.port), 60)
    client.sendall(f"GET {url} HTTP/1.1\r\nHost: {url.split('/')[2]}\r\nConnection: close\r\n\r\n".encode())
    return client


def _read(server: Server, url: str, size: int = 0) -> bytes:
    """Read an answer to its end and return its head."""
    with closing(_connected(server, url)) as client:
        head = bytearray()
        while b"\r\n\r\n" not in head and (octets := client.recv(4096)):
            head += octets
        came = len(head) - head.find(b"\r\n\r\n") - 4
        room = memoryview(bytearray(MIB))
        while count := client.recv_into(room):
            came += count
    if came < size:
        raise LoadFailed(f"only {came:,} of {size:,} octets came: {bytes(head[:500])!r}")
    return bytes(head)


def _read_slowly(server: Server, url: str) -> None:
    """Read some MiB a second for ten seconds, then go."""
    with closing(_connected(server, url)) as client:
        for _ in range(200):
            client.recv(65_536)
            time.sleep(0.05)
