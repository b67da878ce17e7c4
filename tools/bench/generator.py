"""A load generator for what wrk cannot do: TLS inside a CONNECT tunnel, a fixed rate, one burst of requests.

It runs as a program of its own: it takes one JSON object as its argument (`LoadOptions`), and prints one JSON line with
the result. One thread, epoll and no pipelining, so that Python does as little as possible per request.
"""

from __future__ import annotations

import dataclasses
import gc
import itertools
import json
import math
import random
import select
import socket
import ssl
import sys
import time
from collections import deque
from collections.abc import Iterator

KEY = "@KEY@"
"""Placeholder in a request: a number of seven digits is put here."""

HEAD_END = b"\r\n\r\n"

TIMEOUT = 30.0
"""Seconds for a connection, and for the responses to a burst."""


@dataclasses.dataclass(frozen=True, slots=True)
class LoadOptions:
    """The request, and how often it is sent."""

    port: int
    request: str
    """The whole head."""
    content_size: int
    """Bytes of content in each response."""
    connections: int
    seconds: float
    rate: float = 0
    """Requests per second, all connections together; 0: a connection sends as soon as it has its response."""
    keys: int = 0
    """`KEY` becomes a number from 1 to this, in random order; no number comes twice before all were used."""
    each_key_once: bool = False
    """End after as many responses as there are keys."""
    burst: bool = False
    """One request on each connection, all at the same time."""
    tunnel_to: str = ""
    """The authority (host:port) for CONNECT, with TLS inside the tunnel; empty: plain HTTP, no tunnel."""
    ca_file: str = ""
    """The certificate of the CA to trust."""


class Connection:
    """A connection to the server, with at most one request in progress."""

    def __init__(self, options: LoadOptions, keys: Iterator[int]) -> None:
        before, placeholder, after = options.request.encode().partition(KEY.encode())
        self._request = before + after
        self._parts = (before, after) if placeholder else None
        self._keys = keys
        self._content_size = options.content_size
        self._plain = socket.create_connection(("127.0.0.1", options.port), TIMEOUT)
        self._plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = _open_tunnel(self._plain, options) if options.tunnel_to else self._plain
        self.socket.setblocking(False)
        self._missing_bytes = 0
        """Of the response; 0 while its head is incomplete."""
        self._partial_head = b""
        self.start_time = 0.0
        """Start of the latency of the request in progress; 0: no request is in progress."""
        self.statuses: dict[bytes, int] = {}
        """Number of responses by status code."""
        self.overdue: deque[float] = deque()
        """Due times of requests that wait for the request in progress."""

    def send(self, start_time: float) -> None:
        """Send the request; its latency is measured from `start_time`."""
        self.start_time = start_time
        if self._parts:
            before, after = self._parts
            self._request = b"%b%07d%b" % (before, next(self._keys), after)
        self.socket.send(self._request)

    def receive(self) -> bool:
        """Read what has arrived, and tell whether the response is complete. Raises ConnectionError or ValueError."""
        while True:
            try:
                data = self.socket.recv(262_144)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            if not data:
                raise ConnectionError("the server closed a connection")
            if not self._missing_bytes:
                data = self._partial_head + data
                end = data.find(HEAD_END)
                if end < 0:
                    self._partial_head = data
                    continue
                self._partial_head = b""
                status = data[9:12]
                if status[:1] not in (b"2", b"3"):
                    raise ConnectionError(f"unexpected response: {data[:1000].decode(errors='replace')}")
                self.statuses[status] = self.statuses.get(status, 0) + 1
                self._missing_bytes = end + len(HEAD_END) + self._content_size
            self._missing_bytes -= len(data)
            if self._missing_bytes == 0:
                self.start_time = 0.0
                return True
            if self._missing_bytes < 0:
                raise ValueError("the server sent more bytes than the response has")


def _open_tunnel(plain: socket.socket, options: LoadOptions) -> socket.socket:
    """Open a tunnel with CONNECT, and return a TLS socket inside it."""
    plain.sendall(f"CONNECT {options.tunnel_to} HTTP/1.1\r\nHost: {options.tunnel_to}\r\n\r\n".encode())
    response = b""
    while HEAD_END not in response:
        data = plain.recv(4096)
        if not data:
            raise ConnectionError(f"no tunnel: {response!r}")
        response += data
    if response[9:12] != b"200":
        raise ConnectionError(f"no tunnel: {response!r}")
    context = ssl.create_default_context(cafile=options.ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # the certificates of other proxies need not meet RFC 5280 strictly
    return context.wrap_socket(plain, server_hostname=options.tunnel_to.rpartition(":")[0])


class Generator:
    """All connections of a load, and the measured latencies in seconds."""

    def __init__(self, options: LoadOptions) -> None:
        self._options = options
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}
        # before the measurement starts: to shuffle a million numbers takes half a second
        keys = itertools.cycle(random.sample(range(1, options.keys + 1), options.keys))
        for _ in range(options.connections):
            connection = Connection(options, keys)
            self._connections[connection.socket.fileno()] = connection
            self._poll.register(connection.socket, select.EPOLLIN)
        self.latencies: list[float] = []

    def run(self) -> dict[str, object]:
        """Send the load and return the result."""
        gc.disable()
        start = time.perf_counter()
        end = start + self._options.seconds
        if self._options.burst:
            self._run_burst(start)
        elif self._options.rate:
            self._run_at_rate(start, end)
        else:
            self._run_at_full_speed(end)
        seconds = time.perf_counter() - start
        statuses: dict[str, int] = {}
        for connection in self._connections.values():
            for status, count in connection.statuses.items():
                statuses[status.decode()] = statuses.get(status.decode(), 0) + count
        ordered = sorted(self.latencies) or [seconds]
        return {
            "requests": len(self.latencies),
            "seconds": seconds,
            "p50": ordered[len(ordered) // 2],
            "p99": ordered[len(ordered) * 99 // 100],
            "errors": 0,
            "statuses": statuses,
        }

    def _finished(self, timeout: float) -> list[Connection]:
        """Wait for data, note the latencies of complete responses, and return their connections."""
        finished = []
        for number, _ in self._poll.poll(timeout):
            connection = self._connections[number]
            start_time = connection.start_time
            if connection.receive():
                self.latencies.append(time.perf_counter() - start_time)
                finished.append(connection)
        return finished

    def _run_at_full_speed(self, end: float) -> None:
        for connection in self._connections.values():
            connection.send(time.perf_counter())
        limit = self._options.keys if self._options.each_key_once else math.inf
        while (now := time.perf_counter()) < end and len(self.latencies) < limit:
            for connection in self._finished(end - now):
                connection.send(time.perf_counter())

    def _run_at_rate(self, start: float, end: float) -> None:
        """Send at a fixed rate. A request that has to wait keeps its due time as the start of its latency."""
        connections = list(self._connections.values())
        interval = 1 / self._options.rate
        count = 0
        while (now := time.perf_counter()) < end:
            while (due := start + count * interval) <= now:
                connection = connections[count % len(connections)]
                count += 1
                if connection.start_time:
                    connection.overdue.append(due)
                else:
                    connection.send(due)
            for connection in self._finished(0):
                if connection.overdue:
                    connection.send(connection.overdue.popleft())

    def _run_burst(self, start: float) -> None:
        """Send one request on every connection, and wait for all responses. Raises TimeoutError."""
        for connection in self._connections.values():
            connection.send(start)
        waiting = len(self._connections)
        while waiting:
            finished = self._finished(TIMEOUT)
            if not finished and time.perf_counter() - start > TIMEOUT:
                raise TimeoutError(f"{waiting} of {len(self._connections)} connections got no response")
            waiting -= len(finished)


if __name__ == "__main__":
    print(json.dumps(Generator(LoadOptions(**json.loads(sys.argv[1]))).run()))
