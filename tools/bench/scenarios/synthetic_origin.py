"""An origin, in a process of its own, that generates its responses: large ones, endless ones, or none.

Paths: /large (as many zero bytes as the argument says; they are on no disk), /one (one byte), /no-response (reads all
content and never responds), and those of `ENDLESS`, each of which sends 64 MiB of useless bytes.
"""

from __future__ import annotations

import socketserver
import subprocess
import sys
from typing import Self

from tools.bench.cores import pin_to_core
from tools.bench.server_settings import HERE

PIECE = bytes(1 << 20)

HEAD = "HTTP/1.1 200 OK\r\nCache-Control: max-age=86400\r\nContent-Type: application/octet-stream\r\n"

CHUNKED = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n"

ENDLESS = {
    "/field": (f"{HEAD}A: ", "a" * 4096),
    "/fields": (HEAD, "A: a\r\n" * 1000),
    "/extension": (f"{CHUNKED}5;a=", "a" * 4096),
    "/trailers": (f"{CHUNKED}0\r\n", "A: a\r\n" * 1000),
}
"""By path: the start of a response, and the text that is repeated after it."""

ENDLESS_SIZE = 64 << 20
"""Bytes."""


class SyntheticOrigin:
    """The origin while it runs; /large has `size` bytes."""

    def __init__(self, size: int, core: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.bench.scenarios.synthetic_origin", str(size)],
            cwd=HERE.parent.parent,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: pin_to_core(core),
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


class _Handler(socketserver.StreamRequestHandler):
    """Responds to the requests of one connection, in their order."""

    size = 1

    def handle(self) -> None:
        try:
            while line := self.rfile.readline():
                while self.rfile.readline().strip():
                    continue
                self._respond(line.split()[1].decode())
        except OSError:
            return  # the server under test may close the connection at any time

    def _respond(self, path: str) -> None:
        if path == "/no-response":
            while self.rfile.read1(65_536):
                continue
        elif path in ENDLESS:
            start, repeated = (text.encode() for text in ENDLESS[path])
            self.wfile.write(start)
            for _ in range(ENDLESS_SIZE // len(repeated)):
                self.wfile.write(repeated)
        else:
            self._send_zeros(self.size if path == "/large" else 1)

    def _send_zeros(self, count: int) -> None:
        self.wfile.write(f"{HEAD}Content-Length: {count}\r\n\r\n".encode())
        while count:
            piece = PIECE[:count]
            self.wfile.write(piece)
            count -= len(piece)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1024


if __name__ == "__main__":
    _Handler.size = int(sys.argv[1])
    with _Server(("127.0.0.1", 0), _Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
