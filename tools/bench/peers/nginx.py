"""nginx as a caching reverse proxy."""

from __future__ import annotations

import resource
import subprocess

from tools.bench.peers.peer import Peer
from tools.bench.server_settings import ServerSettings, find_program

MAX_OPEN_FILES = 200_000
"""Files that nginx keeps open: more than it stores in any measurement."""


def _command(settings: ServerSettings) -> list[str]:
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    # a quarter is for connections; beyond the limit, nginx would answer 500
    open_files = MAX_OPEN_FILES if limit == resource.RLIM_INFINITY else min(MAX_OPEN_FILES, limit * 3 // 4)
    configuration = settings.write_configuration("peers/nginx.conf", OPEN_FILES=str(open_files))
    return [
        find_program("nginx", "nginx"),
        *("-p", str(settings.folder), "-e", "stderr", "-c", str(configuration), "-g", "daemon off;"),
    ]


def _version() -> str:
    printed = subprocess.run([find_program("nginx", "nginx"), "-v"], check=True, capture_output=True, text=True).stderr
    return printed.strip().rpartition("/")[2]


NGINX = Peer("nginx", is_forward_proxy=False, command=_command, version=_version)
