"""Finds the directory of the store in settings that cannot be used: a running proxy was started with earlier ones."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from addon.config.load import PREFIX, settings_file
from addon.config.store import StoreSettings

_VARIABLE = f"{PREFIX}STORE__PATH"
_TABLES = re.compile(r"^(?=\s*\[)", re.MULTILINE)


def store_place(file: Path | None, store: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the directory of the store, whatever else the settings say; the default one if they name none.

    Args:
        file: As for `configure`.
        store: The directory that the command line names.
        environ: The environment.
    """
    path = store or environ.get(_VARIABLE) or _path_in(settings_file(file, environ))
    return StoreSettings(path=path).directory


def _path_in(file: Path | None) -> str:
    """Return `store.path` of a settings file, of which other tables may be no TOML."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace") if file else ""
    except OSError:
        return ""
    for table in _TABLES.split(text):
        try:
            store = tomllib.loads(table).get("store")
        except tomllib.TOMLDecodeError:
            continue
        if isinstance(store, dict) and isinstance(store.get("path"), str):
            return str(store["path"])
    return ""
