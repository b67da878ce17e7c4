"""A response of 10 GiB, as a miss and then as a hit, while a second client reads the same response slowly."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from contextlib import closing

from tools.bench.comparisons import OURS
from tools.bench.peers.peer import Server
from tools.bench.scenario_result import ScenarioResult, at_most
from tools.bench.scenarios.synthetic_origin import SyntheticOrigin
from tools.bench.testbed import Testbed
from tools.bench.workload import LoadFailed

GIB, MIB = 1 << 30, 1 << 20
SIZE = 10 * GIB
REQUIRED_SPACE = 25 * GIB
"""Free disk space for a response of that size; with less, the response has 1 GiB."""


def measure(testbed: Testbed) -> list[ScenarioResult]:
    """Return the speed, and the growth of memory at its peak. Raises LoadFailed."""
    size = SIZE if shutil.disk_usage(testbed.folder).free >= REQUIRED_SPACE else GIB
    shown_size = f"{size // GIB} GiB"
    server = testbed.start_server(OURS, SECONDHAND_STORE__MAX_SIZE="40 GiB", SECONDHAND_STORE__MAX_OBJECT="20 GiB")
    results = []
    with SyntheticOrigin(size, testbed.options.cores.origin) as origin:
        url = f"http://127.0.0.1:{origin.port}"
        _read(server, f"{url}/one")
        before = server.memory()
        for kind in ("miss", "hit"):
            server.reset_peak_memory()
            slow_reader = threading.Thread(target=_read_slowly, args=(server, f"{url}/large"), daemon=True)
            slow_reader.start()
            start = time.monotonic()
            head = _read(server, f"{url}/large", size)
            speed = size / MIB / (time.monotonic() - start)
            slow_reader.join()
            growth = (server.memory("VmHWM") - before) / MIB
            results += [
                ScenarioResult(OURS, f"{shown_size}, {kind}, with a slow second reader", f"{speed:,.0f} MiB/s"),
                at_most(OURS, f"{shown_size}, {kind}: memory growth at its peak", growth, 64, "MiB"),
            ]
        is_hit = b" 203 " in head.split(b"\r\n")[0]
        return [*results, ScenarioResult(OURS, "the second response was a hit", str(is_hit), "True", is_hit)]


def _send_request(server: Server, url: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", server.settings.port), 60)
    client.sendall(f"GET {url} HTTP/1.1\r\nHost: {url.split('/')[2]}\r\nConnection: close\r\n\r\n".encode())
    return client


def _read(server: Server, url: str, size: int = 0) -> bytes:
    """Read a response to its end and return its head. Raises LoadFailed if its content is shorter than `size`."""
    with closing(_send_request(server, url)) as client:
        head = bytearray()
        while b"\r\n\r\n" not in head and (data := client.recv(4096)):
            head += data
        received = len(head) - head.find(b"\r\n\r\n") - 4
        buffer = memoryview(bytearray(MIB))
        while count := client.recv_into(buffer):
            received += count
    if received < size:
        raise LoadFailed(f"received only {received:,} of {size:,} bytes: {bytes(head[:500])!r}")
    return bytes(head)


def _read_slowly(server: Server, url: str) -> None:
    """Read about 1 MiB per second for ten seconds, then close the connection."""
    with closing(_send_request(server, url)) as client:
        for _ in range(200):
            client.recv(65_536)
            time.sleep(0.05)
