"""Profiles: groups of settings, shipped as TOML files. The operator's own settings override them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from addon.config.toml_files import read_toml

FOLDER = Path(__file__).with_name("profiles")


def profile_names() -> list[str]:
    """Return the names of all profiles, sorted."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def profile_tables(name: str) -> dict[str, object]:
    """Return the settings of a profile and of the profiles that it includes; their lists are concatenated.

    Raises:
        ValueError: no profile has this name; the text names the expected values.
        ConfigError: the profile's file cannot be read.
    """
    if name not in profile_names():
        raise ValueError(f"one of {', '.join(profile_names())}")
    tables = read_toml(FOLDER / f"{name}.toml")
    tables.pop("summary", None)
    included = tables.pop("include", [])
    assert isinstance(included, list)  # noqa: S101 - for mypy: the profiles of this package have a list here
    for other in included:
        tables = _merged(tables, profile_tables(other))
    return tables


def _merged(first: Mapping[str, object], second: Mapping[str, object]) -> dict[str, object]:
    """Return both tables as one: nested tables merged, lists concatenated, other values from the first."""
    merged = dict(first)
    for key, value in second.items():
        existing = merged.get(key)
        if isinstance(existing, dict) and isinstance(value, dict):
            merged[key] = _merged(existing, value)
        elif isinstance(existing, list) and isinstance(value, list):
            merged[key] = [*existing, *(each for each in value if each not in existing)]
        else:
            merged.setdefault(key, value)
    return merged
