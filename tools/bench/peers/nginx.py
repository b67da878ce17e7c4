"""nginx."""

from __future__ import annotations

import subprocess

from tools.bench.peers.peer import Peer
from tools.bench.place import Place, program


def _command(place: Place) -> list[str]:
    configuration = place.configure("peers/nginx.conf")
    return [
        program("nginx", "nginx"),
        *("-p", str(place.folder), "-e", "stderr", "-c", str(configuration), "-g", "daemon off;"),
    ]


def _version() -> str:
    said = subprocess.run([program("nginx", "nginx"), "-v"], check=True, capture_output=True, text=True).stderr
    return said.strip().rpartition("/")[2]


NGINX = Peer("nginx", is_forward_proxy=False, command=_command, version=_version)
