"""The private store of `secondhand run`: a second directory beside the shared store, for one user's responses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from addon.config.load import Configuration, configure
from addon.config.private_profile import PROFILE
from addon.config.settings import Settings


def private_directory(settings: Settings) -> Path:
    """Return the directory of the private store that belongs to the shared store of these settings."""
    shared = settings.store.directory
    return shared.with_name(f"{shared.name}-private")


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
    shared = configure(file, {"store": {"path": store}} if store is not None else {}).settings
    tables: dict[str, object] = {
        "profile": profile,
        "edge": "",
        "site": [],
        "store": {"kind": "disk", "path": store or str(private_directory(shared))},
        "recordings": {"path": str(shared.library), "record": record, "replay": replay},
        **overrides,
    }
    return configure(file, tables)
