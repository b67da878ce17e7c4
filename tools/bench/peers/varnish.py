"""Varnish as a caching reverse proxy, together with varnishncsa, which writes its access log."""

from __future__ import annotations

import re
import subprocess

from tools.bench.peers.peer import Peer
from tools.bench.server_settings import ServerSettings, find_program


def _command(settings: ServerSettings) -> list[str]:
    vcl = settings.write_configuration("peers/varnish.vcl")
    return [
        *(find_program("varnishd", "varnish"), "-F", "-n", str(settings.folder / "work"), "-f", str(vcl)),
        *("-a", f"127.0.0.1:{settings.port}", "-s", "malloc,256m"),
    ]


def _access_log_writer(settings: ServerSettings) -> list[str]:
    log = settings.folder / "access.log"
    return [find_program("varnishncsa", "varnish"), "-n", str(settings.folder / "work"), "-w", str(log)]


def _version() -> str:
    varnishd = find_program("varnishd", "varnish")
    printed = subprocess.run([varnishd, "-V"], check=True, capture_output=True, text=True).stderr
    match = re.search(r"varnish-(\S+)", printed)
    return match[1] if match else "unknown"


VARNISH = Peer("varnish", is_forward_proxy=False, command=_command, version=_version, companion=_access_log_writer)
