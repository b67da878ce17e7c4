"""The private store of `secondhand run`: a second directory beside the shared store, for one user's responses."""

from __future__ import annotations

from pathlib import Path

from addon.config.settings import Settings

PROFILE = "dev"
"""The profile of `secondhand run` if no other one is named."""


def private_directory(settings: Settings) -> Path:
    """Return the directory of the private store that belongs to the shared store of these settings."""
    shared = settings.store.directory
    return shared.with_name(f"{shared.name}-private")


def is_private_store(settings: Settings) -> bool:
    """Return whether the option `--private` alone selects these settings' store and profile."""
    return settings.profile == PROFILE and settings.store.directory == private_directory(Settings())
