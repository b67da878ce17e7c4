"""mitmdump without addons of ours: what it costs to pass through mitmproxy."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

from tools.bench.peers.peer import Peer
from tools.bench.place import Missing, Place


def _command(place: Place) -> list[str]:
    mitmdump = Path(sys.executable).parent / "mitmdump"
    if not mitmdump.exists():
        raise Missing(f"{mitmdump} is not there; `make bench` makes an environment that has it")
    return [
        *(str(mitmdump), "--quiet", "--listen-host", "127.0.0.1", "--listen-port", str(place.port)),
        *("--set", f"confdir={place.folder}"),
    ]


def _version() -> str:
    return importlib.metadata.version("mitmproxy")


MITMDUMP = Peer("mitmdump", is_forward_proxy=True, command=_command, version=_version)
