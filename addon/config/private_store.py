"""What `secondhand run` keeps, in a store beside the shared one: it is one user's (see `OfflineSettings`)."""

from __future__ import annotations

from pathlib import Path

from addon.config.settings import Settings

PROFILE = "dev"
"""The settings that `run` goes by where nobody names others."""


def private_directory(settings: Settings) -> Path:
    """Return the directory of the store beside that of these settings."""
    shared = settings.store.directory
    return shared.with_name(f"{shared.name}-private")


def is_private(settings: Settings) -> bool:
    """Tell whether these are what `--private` names where nobody's settings say otherwise."""
    return settings.profile == PROFILE and settings.store.directory == private_directory(Settings())
