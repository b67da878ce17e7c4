"""Settings for a conversation: the defaults, in memory, and nobody's proxy or certificates but its own."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from addon.settings import Settings
from tests.addon.throwaway_authority import Authority
from tests.lanes.script import Conversation


@cache
def folder() -> Path:
    """Return a folder for the certificates of this test run."""
    return Path(tempfile.mkdtemp(prefix="secondhand-lanes-"))


@cache
def origin_authority() -> Authority:
    """Return the certificate authority that vouches for origins."""
    return Authority(folder(), "origins")


def interception_authority() -> Path:
    """Return the certificate of the authority that the proxy answers for origins with, once it has run."""
    return folder() / "mitmproxy" / "mitmproxy-ca-cert.pem"


def settings_for(conversation: Conversation) -> Settings:
    """Return the settings that hold in a conversation."""
    tables: dict[str, Any] = {
        "listen": "127.0.0.1:0",
        "store": {"kind": "memory", "max_size": 2**24},
        "origin": {"proxy": "none", "ca_files": [str(origin_authority().file)]},
        "tls": {"directory": str(interception_authority().parent)},
    }
    for name, table in conversation.settings.items():
        tables[name] = {**tables.get(name, {}), **table} if isinstance(table, dict) else table
    return Settings.model_validate(tables)


def no_system_trust() -> None:
    """Trust nobody by default: reading the system's trust store takes longer than most conversations."""
    os.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_DIR"] = os.devnull
