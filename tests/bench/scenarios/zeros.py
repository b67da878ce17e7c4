"""An origin whose body is as long as one likes, and never on a disk."""

from __future__ import annotations

import socketserver
import subprocess
import sys
from typing import Self

from tests.bench.cores import settle
from tests.bench.place import HERE

PIECE = bytes(1 << 20)

HEAD = (
    "HTTP/1.1 200 OK\r\nCache-Control: max-age=86400\r\nContent-Type: application/octet-stream\r\n"
    "Content-Length: {}\r\n\r\n"
)


class Zeros:
    """The origin, as a process on a core: /large has so many octets, every other path one."""

    def __init__(self, size: int, core: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.scenarios.zeros", str(size)],
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
                self._answer(self.size if b"/large" in line else 1)
        except OSError:
            return  # whoever goes early is right to

    def _answer(self, left: int) -> None:
        self.wfile.write(HEAD.format(left).encode())
        while left:
            piece = PIECE[:left]
            self.wfile.write(piece)
            left -= len(piece)


if __name__ == "__main__":
    _Exchange.size = int(sys.argv[1])
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Exchange) as server:
        server.daemon_threads = True
        print(server.server_address[1], flush=True)
        server.serve_forever()
