"""The private store of `secondhand run`: a second directory beside the shared store, for one user's responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import disk_usage
from types import MappingProxyType

from addon.config.load import Configuration, configure
from addon.config.private_profile import PROFILE
from addon.config.settings import Settings
from addon.config.store import FREE_SPACE
from addon.config.user_folders import expanded

LEAST_SIZE = 20 * 1024**3
"""Bytes that the private store may use where there is room: the packages, models and images of several projects."""


def private_directory(settings: Settings) -> Path:
    """Return the directory of the private store that belongs to the shared store of these settings."""
    shared = settings.store.directory
    return shared.with_name(f"{shared.name}-private")


def default_size(directory: Path) -> int:
    """Return the size limit in bytes of a private store for which the settings give none: by what is free on its disk.

    It may use half of the disk's room, or 20 GiB if that is more, and leaves a tenth free in any case.
    """
    from cache.stores.disk.space import bytes_in_use  # slow to import, and few commands need it

    existing = next(each for each in (directory, *directory.parents) if each.is_dir())
    room = disk_usage(existing).free + bytes_in_use(directory)
    return max(1, min(max(LEAST_SIZE, room // 2), room * 9 // 10))


def present_project() -> str:
    """Return the project that this process works in: the path of its repository, or of its folder."""
    try:
        folder = Path.cwd()
    except OSError:  # the folder was deleted
        return ""
    return str(next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder))


def is_private_store(settings: Settings) -> bool:
    """Return whether the option `--private` alone selects these settings' store and profile."""
    return settings.profile == PROFILE and settings.store.directory == private_directory(Settings())


def configure_private(
    config: str | None = None,
    store: str | None = None,
    profile: str = PROFILE,
    *,
    record: str = "",
    replay: str = "",
    overrides: Mapping[str, object] = MappingProxyType({}),
) -> Configuration:
    """Return the settings of `secondhand run`. Its recordings are in the library of the shared store.

    Args:
        config: The settings file.
        store: The directory of the store; by default, the private one beside the shared one.
        profile: The profile.
        record: The recording that is made, if any.
        replay: The recording that is replayed, if any.
        overrides: More settings that win over all others.

    Raises:
        ConfigError: the settings are invalid; it holds all faults.
    """
    file = Path(config) if config else None
    configured = configure(file, {"store": {"path": store}} if store is not None else {})
    shared = configured.settings
    directory = expanded(store).absolute() if store else private_directory(shared)
    defaults: dict[str, Callable[[], object]] = {
        "max_object": lambda: FREE_SPACE,
        "max_size": lambda: default_size(directory),
        "project": present_project,
    }
    unset = {name: default() for name, default in defaults.items() if configured.source("store", name) is None}
    tables: dict[str, object] = {
        "profile": profile,
        "edge": "",
        "site": [],
        "store": {"kind": "disk", "path": store or str(private_directory(shared)), **unset},
        "recordings": {"path": str(shared.library), "record": record, "replay": replay},
        **overrides,
    }
    return configure(file, tables)
