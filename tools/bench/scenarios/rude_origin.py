"""An origin, as a process on a core, that does what no origin should: it answers at length, or without end.

Paths: /large (so many zeros, never on a disk), /one (one octet), /swallow (takes all and never answers), and those of
`ENDLESS`, each of which sends 64 MiB of what nobody needs.
"""

from __future__ import annotations

import socketserver
import subprocess
import sys
from typing import Self

from tools.bench.cores import settle
from tools.bench.place import HERE

PIECE = bytes(1 << 20)

HEAD = "HTTP/1.1 200 OK\r\nCache-Control: max-age=86400\r\nContent-Type: application/octet-stream\r\n"

CHUNKED = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n"

ENDLESS = {
    "/field": (f"{HEAD}A: ", "a" * 4096),
    "/fields": (HEAD, "A: a\r\n" * 1000),
    "/extension": (f"{CHUNKED}5;a=", "a" * 4096),
    "/trailers": (f"{CHUNKED}0\r\n", "A: a\r\n" * 1000),
}
"""What each begins with, and what it says again and again."""

ENDLESS_OCTETS = 64 << 20


class RudeOrigin:
    """The origin while it runs; /large has `size` octets."""

    def __init__(self, size: int, core: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.bench.scenarios.rude_origin", str(size)],
            cwd=HERE.parent.parent,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: settle(core),
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


class _Exchange(socketserver.StreamRequestHandler):
    """Requests of one connection, answered one after the other."""

    size = 1

    def handle(self) -> None:
        try:
            while line := self.rfile.readline():
                while self.rfile.readline().strip():
                    continue
                self._answer(line.split()[1].decode())
        except OSError:
            return  # whoever goes early is right to

    def _answer(self, path: str) -> None:
        if path == "/swallow":
            while self.rfile.read1(65_536):
                continue
        elif path in ENDLESS:
            begin, on = (text.encode() for text in ENDLESS[path])
            self.wfile.write(begin)
            for _ in range(ENDLESS_OCTETS // len(on)):
                self.wfile.write(on)
        else:
            self._zeros(self.size if path == "/large" else 1)

    def _zeros(self, left: int) -> None:
        self.wfile.write(f"{HEAD}Content-Length: {left}\r\n\r\n".encode())
        while left:
            piece = PIECE[:left]
            self.wfile.write(piece)
            left -= len(piece)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1024


if __name__ == "__main__":
    _Exchange.size = int(sys.argv[1])
    with _Server(("127.0.0.1", 0), _Exchange) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
