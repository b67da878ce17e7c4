"""The origin of every measurement: nginx with files, on a core apart from the measured server's."""

from __future__ import annotations

import os
import re
import time
import urllib.request
from pathlib import Path
from typing import Self

from tools.bench.authority import Authority
from tools.bench.place import Place, program
from tools.bench.process import Process, free_port

SIZES = {"1k": 1 << 10, "100k": 100 << 10, "10m": 10 << 20}

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Origin:
    """A running origin in a folder of its own."""

    def __init__(self, folder: Path, core: int) -> None:
        folder.mkdir()
        files = folder / "www"
        files.mkdir()
        for name, size in SIZES.items():
            (files / name).write_bytes(os.urandom(size))
        authority = Authority(folder)
        authority.certificate("localhost", folder / "origin.pem")
        self.port, self.tls_port, self.authority = free_port(), free_port(), authority.file
        self._folder = folder
        self._asked = 0
        place = Place(folder, 0, self.port, self.tls_port, self.authority, core)
        self._process = Process(command(place), core, folder / "log")
        self._process.wait_for(self.port)

    def requests(self) -> int:
        """Return how many requests it has had, this one not counted."""
        with _OPENER.open(f"http://127.0.0.1:{self.port}/requests") as answer:
            match = re.search(r"\n (\d+) (\d+) (\d+) \n", answer.read().decode())
        assert match
        self._asked += 1
        return int(match[3]) - self._asked

    def cpu(self) -> float:
        """Return the seconds that it has computed."""
        return self._process.cpu()

    def statuses(self, log: str) -> list[str]:
        """Return the status codes that it has sent under a path that it keeps a log of."""
        time.sleep(1.2)  # it writes its logs once a second
        file = self._folder / f"{log}.log"
        return file.read_text().split() if file.exists() else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()


def command(place: Place) -> list[str]:
    """Return how the origin is started."""
    configuration = place.configure("origin.conf")
    return [
        program("nginx", "nginx"),
        *("-p", str(place.folder), "-e", "stderr", "-c", str(configuration), "-g", "daemon off;"),
    ]
