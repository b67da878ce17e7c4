"""The settings file: any bytes are settings or a ConfigError that names the place."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import gettempdir

from addon.config.errors import ConfigError
from addon.config.load import configure
from addon.config.settings import Settings

TOKENS = [
    *(f"[{name}]\n".encode() for name in Settings.model_fields),
    *(
        b"[[cache.modes]]\n",
        b"[[answer.rules]]\n",
        b"[[annotate]]\n",
        b" = ",
        b'"',
        b"[",
        b"]",
        b"true",
        b"1d",
        b"1GiB",
    ),
    *(b'host = "*"\n', b'path = "/a"\n', b'mode = "offline"\n', b'"auto"', b"-1", b"1e400", b"inf", b"2026-11-23"),
]

FILE = Path(gettempdir()) / f"fuzz-settings-{os.getpid()}.toml"


def check(data: bytes) -> None:
    """Read bytes as the settings file, and as the value of a variable."""
    FILE.write_bytes(data)
    try:
        _check(FILE, {})
        if b"\0" not in data:
            text = os.fsdecode(data)
            _check(None, {"SECONDHAND_LISTEN": text, "SECONDHAND_ORIGIN__LENIENT": text, "SECONDHAND_CONFIG": ""})
            _check(None, {"SECONDHAND_STORE__MAX_SIZE": text, "SECONDHAND_CONFIG": ""})
    finally:
        FILE.unlink()


def _check(file: Path | None, environ: dict[str, str]) -> None:
    try:
        configuration = configure(file, environ=environ)
    except ConfigError as error:
        assert error.faults
        for fault in error.faults:
            assert fault.problem
            assert fault.where
        return
    configuration.settings.policy()
