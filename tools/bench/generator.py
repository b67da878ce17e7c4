"""A load generator for what wrk cannot do: CONNECT with TLS inside, a fixed rate, a herd. A program of its own.

Reads one JSON object from its arguments (`Load`), prints one JSON line with what came of it. One thread, epoll, no
pipelining: as little as Python can do for a request.
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
HEAD_END = b"\r\n\r\n"
PATIENCE = 30.0


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """What to send, and how often."""

    port: int
    request: str
    body: int
    """Octets of each answer's body."""
    connections: int
    seconds: float
    rate: float = 0
    """Requests a second, all connections together; 0: each connection sends as soon as it has its answer."""
    keys: int = 0
    """What stands for KEY in the request: numbers from 1 to this in no order, none of them twice if they suffice."""
    sweep: bool = False
    """End once there were as many requests as there are keys."""
    once: bool = False
    """One request a connection, all at the same time."""
    connect: str = ""
    """The authority to CONNECT to before TLS; empty: neither."""
    authority: str = ""
    """The file of the certificate authority to trust."""


class Connection:
    """One connection to the server, and the answer that is coming in on it."""

    def __init__(self, load: Load, keys: Iterator[int]) -> None:
        before, found, after = load.request.encode().partition(KEY.encode())
        self._request = before + after
        self._parts = (before, after) if found else None
        self._keys = keys
        self._body = load.body
        self._plain = socket.create_connection(("127.0.0.1", load.port), PATIENCE)
        self._plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = _inside(self._plain, load) if load.connect else self._plain
        self.socket.setblocking(False)
        self._expected = 0
        self._begun = b""
        self.waiting_since = 0.0
        self.statuses: dict[bytes, int] = {}
        self.due: deque[float] = deque()

    def send(self, since: float) -> None:
        """Send the request; its answer is counted from `since`."""
        self.waiting_since = since
        if self._parts:
            before, after = self._parts
            self._request = b"%b%07d%b" % (before, next(self._keys), after)
        self.socket.send(self._request)

    def is_answered(self) -> bool:
        """Take what has come in, and tell whether the answer is whole."""
        while True:
            try:
                octets = self.socket.recv(262_144)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            if not octets:
                raise ConnectionError("the server closed a connection")
            if not self._expected:
                octets = self._begun + octets
                end = octets.find(HEAD_END)
                if end < 0:
                    self._begun = octets
                    continue
                self._begun = b""
                status = octets[9:12]
                if status[:1] not in (b"2", b"3"):
                    raise ConnectionError(f"not an answer to measure: {octets[:1000].decode(errors='replace')}")
                self.statuses[status] = self.statuses.get(status, 0) + 1
                self._expected = end + len(HEAD_END) + self._body
            self._expected -= len(octets)
            if self._expected == 0:
                self.waiting_since = 0.0
                return True
            if self._expected < 0:
                raise ValueError("more octets came than the answer has")


def _inside(plain: socket.socket, load: Load) -> socket.socket:
    """Open a tunnel and TLS in it."""
    plain.sendall(f"CONNECT {load.connect} HTTP/1.1\r\nHost: {load.connect}\r\n\r\n".encode())
    answer = b""
    while HEAD_END not in answer:
        octets = plain.recv(4096)
        if not octets:
            raise ConnectionError(f"no tunnel: {answer!r}")
        answer += octets
    if answer[9:12] != b"200":
        raise ConnectionError(f"no tunnel: {answer!r}")
    context = ssl.create_default_context(cafile=load.authority)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # a peer's certificates need not be ours to judge
    return context.wrap_socket(plain, server_hostname=load.connect.rpartition(":")[0])


class Crowd:
    """All connections of a load."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}
        # all of them now: to shuffle a million takes half a second, which no server is to be blamed for
        keys = itertools.cycle(random.sample(range(1, load.keys + 1), load.keys))
        for _ in range(load.connections):
            connection = Connection(load, keys)
            self._connections[connection.socket.fileno()] = connection
            self._poll.register(connection.socket, select.EPOLLIN)
        self.latencies: list[float] = []

    def run(self) -> dict[str, object]:
        """Send it all, and return what came of it."""
        gc.disable()
        start = time.perf_counter()
        end = start + self._load.seconds
        if self._load.once:
            self._once(start)
        elif self._load.rate:
            self._paced(start, end)
        else:
            self._unpaced(end)
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

    def _answered(self, timeout: float) -> list[Connection]:
        """The connections whose answers have become whole."""
        answered = []
        for number, _ in self._poll.poll(timeout):
            connection = self._connections[number]
            since = connection.waiting_since
            if connection.is_answered():
                self.latencies.append(time.perf_counter() - since)
                answered.append(connection)
        return answered

    def _unpaced(self, end: float) -> None:
        for connection in self._connections.values():
            connection.send(time.perf_counter())
        most = self._load.keys if self._load.sweep else math.inf
        while (now := time.perf_counter()) < end and len(self.latencies) < most:
            for connection in self._answered(end - now):
                connection.send(time.perf_counter())

    def _paced(self, start: float, end: float) -> None:
        """Each request has its time; one that cannot be sent then is counted from then all the same."""
        connections = list(self._connections.values())
        interval = 1 / self._load.rate
        sent = 0
        while (now := time.perf_counter()) < end:
            while (due := start + sent * interval) <= now:
                connection = connections[sent % len(connections)]
                sent += 1
                if connection.waiting_since:
                    connection.due.append(due)
                else:
                    connection.send(due)
            for connection in self._answered(0):
                if connection.due:
                    connection.send(connection.due.popleft())

    def _once(self, start: float) -> None:
        for connection in self._connections.values():
            connection.send(start)
        left = len(self._connections)
        while left:
            answered = self._answered(PATIENCE)
            if not answered and time.perf_counter() - start > PATIENCE:
                raise TimeoutError(f"{left} of {len(self._connections)} had no answer")
            left -= len(answered)


if __name__ == "__main__":
    print(json.dumps(Crowd(Load(**json.loads(sys.argv[1]))).run()))
