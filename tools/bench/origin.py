"""The origin of the measurements: nginx with files, on another core than the measured server."""

from __future__ import annotations

import os
import re
import time
import urllib.request
from pathlib import Path
from typing import Self

from tools.bench.certificates import CertificateAuthority
from tools.bench.process import Process, free_port
from tools.bench.server_settings import ServerSettings, find_program

SIZES = {"256": 256, "1k": 1 << 10, "100k": 100 << 10, "10m": 10 << 20}
"""Bytes of each file."""

NAME_LENGTH = 7
"""Digits of a key, with which its content begins."""

VALIDATED = 1000
"""Files that must be validated for each use."""

MODIFIED = 1_795_000_000
"""The time at which the first of them was modified, in seconds since the epoch."""

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Origin:
    """A running origin in a new folder."""

    def __init__(self, folder: Path, core: int) -> None:
        folder.mkdir()
        files = folder / "www"
        files.mkdir()
        for name, size in SIZES.items():
            (files / name).write_bytes(os.urandom(size))
        (files / "validated").mkdir()
        for number in range(1, VALIDATED + 1):
            file = files / "validated" / f"{number:0{NAME_LENGTH}d}"
            file.write_bytes(os.urandom(SIZES["1k"]))
            os.utime(file, (MODIFIED + number, MODIFIED + number))  # nginx makes Last-Modified and ETag of it
        ca = CertificateAuthority(folder)
        ca.write_certificate("localhost", folder / "origin.pem")
        self.port, self.tls_port, self.ca_file = free_port(), free_port(), ca.certificate_file
        self._folder = folder
        self._counter_requests = 0
        settings = ServerSettings(
            folder=folder,
            port=0,
            origin_port=self.port,
            origin_tls_port=self.tls_port,
            origin_ca_file=self.ca_file,
            core=core,
        )
        self._process = Process(command(settings), core, folder / "log")
        self._process.wait_for(self.port)

    def requests(self) -> int:
        """Return how many requests the origin has received, without those of this method."""
        with _OPENER.open(f"http://127.0.0.1:{self.port}/requests") as response:
            match = re.search(r"\n (\d+) (\d+) (\d+) \n", response.read().decode())
        assert match
        self._counter_requests += 1
        return int(match[3]) - self._counter_requests

    def cpu(self) -> float:
        """Return the CPU time of the origin, in seconds."""
        return self._process.cpu()

    def statuses(self, log: str) -> list[str]:
        """Return the status codes of its responses, from one of the access logs in origin.conf."""
        time.sleep(1.2)  # nginx flushes a buffered log once a second
        file = self._folder / f"{log}.log"
        return file.read_text().split() if file.exists() else []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()


def command(settings: ServerSettings) -> list[str]:
    """Write the origin's configuration and return the command that starts it."""
    content = os.urandom(SIZES["1k"] // 2).hex()[NAME_LENGTH:]
    configuration = settings.write_configuration("origin.conf", CONTENT=content)
    return [
        find_program("nginx", "nginx"),
        *("-p", str(settings.folder), "-e", "stderr", "-c", str(configuration), "-g", "daemon off;"),
    ]
