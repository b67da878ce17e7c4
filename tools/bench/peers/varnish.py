"""Varnish, and the program that writes its access log."""

from __future__ import annotations

import re
import subprocess

from tools.bench.peers.peer import Peer
from tools.bench.place import Place, program


def _command(place: Place) -> list[str]:
    rules = place.configure("peers/varnish.vcl")
    return [
        *(program("varnishd", "varnish"), "-F", "-n", str(place.folder / "work"), "-f", str(rules)),
        *("-a", f"127.0.0.1:{place.port}", "-s", "malloc,256m"),
    ]


def _log(place: Place) -> list[str]:
    log = place.folder / "access.log"
    return [program("varnishncsa", "varnish"), "-n", str(place.folder / "work"), "-w", str(log)]


def _version() -> str:
    said = subprocess.run([program("varnishd", "varnish"), "-V"], check=True, capture_output=True, text=True).stderr
    match = re.search(r"varnish-(\S+)", said)
    return match[1] if match else "unknown"


VARNISH = Peer("varnish", is_forward_proxy=False, command=_command, version=_version, beside=_log)
