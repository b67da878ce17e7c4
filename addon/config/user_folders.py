"""The folders of the user who runs the program. A user may have no home directory, or one that cannot be used."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from platformdirs import user_cache_path, user_config_path

from addon.config.errors import ConfigError, Fault

CA_FILE = "mitmproxy-ca.pem"
"""The file of the CA in its directory: its private key and its certificate."""


WITHOUT_HOME = 'a path without "~": this user has no home directory'
"""The path that is expected in place of one with `~`, if that stands for no directory."""


def expanded(path: str) -> Path:
    """Return a path with the home directory in place of `~`. Raises ConfigError if the user has no home directory."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(Fault("settings", "", f'found "{path}", expected {WITHOUT_HOME}')) from None


def home_directory() -> Path | None:
    """Return the home directory, if the user has one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def default_store() -> Path:
    """Return the directory of the store in the user's cache directory. Raises ConfigError if there is no home."""
    folder = _own(user_cache_path)
    if folder is None:
        problem = "expected a directory, since this user has no home directory: name one with --store"
        raise ConfigError(Fault("settings", "store.path", problem))
    return folder / "store"


def place_of_settings_file() -> Path | None:
    """Return the path of the settings file in the user's configuration directory, or None without a home directory."""
    folder = _own(user_config_path)
    return folder / "config.toml" if folder else None


def default_settings_file() -> Path | None:
    """Return the settings file in the user's configuration directory, or None if there is none that can be seen."""
    file = place_of_settings_file()
    try:
        return file if file and file.is_file() else None
    except PermissionError:  # the folder may not be searched
        return None


def ca_directory(store: Path) -> Path:
    """Return the directory of the CA if the settings name none: that of mitmproxy, in the home directory.

    If no CA is there, and none can be made, it is a folder in the store's directory.
    """
    beside = store / "ca"
    home = home_directory()
    if home is None:
        return beside
    usual = home / ".mitmproxy"
    if os.access(usual / CA_FILE, os.R_OK):
        return usual
    return usual if _can_be_made(usual) and not os.access(beside / CA_FILE, os.R_OK) else beside


def lasting_folder(name: str, store: Path) -> Path:
    """Return a folder in the user's cache directory, or in the store's directory if that cannot be written."""
    folder = _own(user_cache_path)
    return folder / name if folder and _can_be_made(folder / name) else store / name


def _own(find: Callable[[str], Path]) -> Path | None:
    """Return our folder among those that platformdirs finds, or None if the user has no home directory."""
    try:
        folder = find("secondhand")
    except RuntimeError:
        return None
    return None if str(folder).startswith("~") else folder.absolute()


def _can_be_made(directory: Path) -> bool:
    """Return whether this process can make a directory, or can write into it if it exists."""
    existing = next(each for each in (directory, *directory.parents) if os.path.lexists(each))
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
