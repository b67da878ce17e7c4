"""mitmdump without addons: the cost of passing through mitmproxy alone."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

from tools.bench.peers.peer import Peer
from tools.bench.server_settings import MissingProgram, ServerSettings


def _command(settings: ServerSettings) -> list[str]:
    mitmdump = Path(sys.executable).parent / "mitmdump"
    if not mitmdump.exists():
        raise MissingProgram(f"{mitmdump} does not exist; `make bench` creates an environment that has it")
    return [
        *(str(mitmdump), "--quiet", "--listen-host", "127.0.0.1", "--listen-port", str(settings.port)),
        *("--set", f"confdir={settings.folder}"),
    ]


def _version() -> str:
    return importlib.metadata.version("mitmproxy")


MITMDUMP = Peer("mitmdump", is_forward_proxy=True, command=_command, version=_version)
