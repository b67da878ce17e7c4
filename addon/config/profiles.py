"""Profiles: settings that go together, shipped as TOML files. They hold beneath what the operator says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from addon.config.toml_files import read_toml

FOLDER = Path(__file__).with_name("profiles")


def profile_names() -> list[str]:
    """Return the names of all profiles."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def profile_tables(name: str) -> dict[str, object]:
    """Return a profile's settings, with those of the profiles that it includes; lists follow one another.

    Raises:
        ValueError: there is no such profile; the text says what was expected.
        ConfigError: its file cannot be read.
    """
    if name not in profile_names():
        raise ValueError(f"one of {', '.join(profile_names())}")
    tables = read_toml(FOLDER / f"{name}.toml")
    tables.pop("summary", None)
    included = tables.pop("include", [])
    assert isinstance(included, list)  # noqa: S101 - the files are our own
    for other in included:
        tables = _joined(tables, profile_tables(other))
    return tables


def _joined(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    joined = dict(one)
    for key, value in other.items():
        mine = joined.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            joined[key] = _joined(mine, value)
        elif isinstance(mine, list) and isinstance(value, list):
            joined[key] = [*mine, *(each for each in value if each not in mine)]
        else:
            joined.setdefault(key, value)
    return joined
