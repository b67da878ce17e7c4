"""Settings for a conversation: the defaults, and nobody's store, proxy or certificates but its own."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from addon.config.settings import Settings
from tests.fixtures.throwaway_ca import Authority
from tests.lanes.script import Conversation


@cache
def folder() -> Path:
    """Return a folder for the certificates and stores of this test run."""
    path = tempfile.mkdtemp(prefix="secondhand-lanes-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@cache
def origin_authority() -> Authority:
    """Return the certificate authority that vouches for origins."""
    return Authority(folder(), "origins")


def interception_authority() -> Path:
    """Return the certificate of the authority that the proxy answers for origins with, once it has run."""
    return folder() / "mitmproxy" / "mitmproxy-ca-cert.pem"


def _on_disk(conversation: Conversation) -> dict[str, str]:
    name = sha256(repr(conversation.settings).encode()).hexdigest()[:16]
    return {"kind": "disk", "path": str(folder() / name)}


@cache
def _certificate() -> str:
    """Return a file with a certificate and its key, such as a client may show."""
    Authority(folder(), "clients").context("client.example")
    file = folder() / "client.pem"
    return str((folder() / "server.pem").rename(file))


def _filled(tables: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: _certificate() if value == "{certificate}" else value for key, value in table.items()}
        if isinstance(table, dict)
        else table
        for name, table in tables.items()
    }


def settings_for(conversation: Conversation, *, on_disk: bool = False) -> Settings:
    """Return the settings that hold in a conversation; the store is in memory unless it is to be `on_disk`."""
    tables: dict[str, Any] = {
        "listen": "127.0.0.1:0",
        "store": {"kind": "memory", "max_size": 2**24, **(_on_disk(conversation) if on_disk else {})},
        "origin": {"proxy": "none", "ca_files": [str(origin_authority().file)]},
        "tls": {"directory": str(interception_authority().parent)},
    }
    for name, table in _filled(conversation.settings).items():
        tables[name] = {**tables.get(name, {}), **table} if isinstance(table, dict) else table
    return Settings.model_validate(tables)
