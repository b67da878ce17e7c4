"""The settings of conversations: the defaults, with the certificates of this test run and no upstream proxy."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from addon.config.settings import Settings
from tests.fixtures.redis_server import shared_redis_server
from tests.fixtures.redis_stores import PATIENCE
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.lanes.script import Conversation


@cache
def folder() -> Path:
    """Return the folder for certificates and stores of this test run. It is deleted at the end of the process."""
    path = tempfile.mkdtemp(prefix="secondhand-lanes-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@cache
def origin_ca() -> ThrowawayCA:
    """Return the CA that signs the certificates of origins."""
    return ThrowawayCA(folder(), "origins")


def interception_ca() -> Path:
    """Return the certificate file of the proxy's own CA. The proxy creates it when it starts."""
    return folder() / "mitmproxy" / "mitmproxy-ca-cert.pem"


def _store(kind: str, conversation: Conversation) -> dict[str, str]:
    name = sha256(repr(conversation.settings).encode()).hexdigest()[:16]
    match kind:
        case "disk":
            return {"kind": "disk", "path": str(folder() / name)}
        case "redis":
            shared = {"url": shared_redis_server().url, "prefix": f"{name}:", "timeout": f"{PATIENCE} s"}
            return {"kind": "redis", "path": str(folder() / f"redis-{name}"), **shared}
    return {"kind": kind}


@cache
def _client_certificate() -> str:
    """Return a file with a client certificate and its key."""
    ThrowawayCA(folder(), "clients").server_context("client.example")
    file = folder() / "client.pem"
    return str((folder() / "server.pem").rename(file))


def _filled(tables: dict[str, Any]) -> dict[str, Any]:
    """Return tables of settings with a file in place of each `{certificate}`."""
    return {
        name: {key: _client_certificate() if value == "{certificate}" else value for key, value in table.items()}
        if isinstance(table, dict)
        else table
        for name, table in tables.items()
    }


def settings_for(conversation: Conversation, *, store: str = "memory") -> Settings:
    """Return the settings of a conversation, with a store of this kind."""
    tables: dict[str, Any] = {
        "listen": "127.0.0.1:0",
        "store": {"max_size": 2**24, **_store(store, conversation)},
        "origin": {"proxy": "none", "ca_files": [str(origin_ca().file)]},
        "tls": {"directory": str(interception_ca().parent)},
    }
    for name, table in _filled(conversation.settings).items():
        tables[name] = {**tables.get(name, {}), **table} if isinstance(table, dict) else table
    return Settings.model_validate(tables)
