"""nginx as a caching reverse proxy."""

from __future__ import annotations

import subprocess

from tools.bench.peers.peer import Peer
from tools.bench.server_settings import ServerSettings, find_program


def _command(settings: ServerSettings) -> list[str]:
    configuration = settings.write_configuration("peers/nginx.conf")
    return [
        find_program("nginx", "nginx"),
        *("-p", str(settings.folder), "-e", "stderr", "-c", str(configuration), "-g", "daemon off;"),
    ]


def _version() -> str:
    printed = subprocess.run([find_program("nginx", "nginx"), "-v"], check=True, capture_output=True, text=True).stderr
    return printed.strip().rpartition("/")[2]


NGINX = Peer("nginx", is_forward_proxy=False, command=_command, version=_version)
