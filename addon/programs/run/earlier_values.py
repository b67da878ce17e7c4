"""The values that variables had before `secondhand env`, kept in one more variable, so that they can be restored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "_SECONDHAND_EARLIER"
"""Its value is a JSON object: for each variable that `secondhand env` has set, its value before, or null."""


def with_earlier_values(values: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a shell is to set, and the one that keeps the values that it has now."""
    earlier = {name: environ.get(name) for name in values} | _kept(environ)
    return {**values, VARIABLE: json.dumps(earlier)}


def earlier_values(environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables by which a shell restores its earlier values; None for one that was not set.

    Empty if `secondhand env` has set nothing in this environment.
    """
    kept = _kept(environ)
    return {**kept, VARIABLE: None} if kept else {}


def environment_before(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment with the earlier values of the variables that name one of our files in a folder."""
    kept = {name: value for name, value in _kept(environ).items() if Path(environ.get(name, "")).parent == folder}
    return {name: value for name, value in {**environ, **kept}.items() if value is not None}


def _kept(environ: Mapping[str, str]) -> dict[str, str | None]:
    try:
        kept = json.loads(environ.get(VARIABLE, "{}"))
    except ValueError:  # something else has changed it
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: value for name, value in kept.items() if value is None or isinstance(value, str)}
