"""Reads the settings from the defaults, the profile, the file, the environment and the command line; later wins."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError

from addon.config.clients import read_clients
from addon.config.errors import ConfigError, Fault, Location, faults_of, key_text
from addon.config.profiles import profile_tables
from addon.config.settings import Settings
from addon.config.site_overlaps import refuse_overlaps
from addon.config.toml_files import read_toml
from addon.config.user_folders import default_settings_file, expanded

PREFIX = "SECONDHAND_"
FILE_VARIABLE = f"{PREFIX}CONFIG"

OPTIONS = {
    "listen": "--listen",
    "workers": "--workers",
    "profile": "--profile",
    "store.path": "--store",
    "answer.status": "--answer",
    "recordings.record": "--record",
    "recordings.replay": "--replay",
}
"""The command line options that set a key."""

MITMPROXY_OPTIONS = {
    "cache.mode": "secondhand_mode",
    "store.path": "secondhand_store",
    "answer.status": "secondhand_answer",
}
"""The options of another mitmproxy that set a key."""

COMMAND_LINE, MITMPROXY = "command line", "mitmproxy option"
"""Sources of values, besides files, profiles and the environment."""

_OPTIONS_OF = {COMMAND_LINE: OPTIONS, MITMPROXY: MITMPROXY_OPTIONS}

# Kubernetes sets these in every container if there is a service named "secondhand"
_KUBERNETES = re.compile(rf"{PREFIX}(SERVICE_(HOST|PORT\w*)|PORT(_\w+)?)")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings, and where their values come from."""

    settings: Settings
    file: Path | None
    """The file that was read, if any."""
    sources: Mapping[Location, str]
    """The source of each value that is set.

    That is the file, `profile NAME`, `environment NAME`, `command line` or `mitmproxy option`.
    """

    def source(self, *location: str) -> str | None:
        """Return the source of a key's value, or None for the default."""
        set_at = next((other for other in self.sources if _overlap(other, location)), None)
        return None if set_at is None else _source_text(self.sources[set_at], set_at)


@dataclass(frozen=True, slots=True)
class _Value:
    value: object
    source: str


def settings_file(file: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file that is read: this one, or that of SECONDHAND_CONFIG, or the default file; None without any."""
    return file or file_of_environment(environ) or default_settings_file()


def file_of_environment(environ: Mapping[str, str]) -> Path | None:
    """Return the file that SECONDHAND_CONFIG names, if it is set."""
    named = environ.get(FILE_VARIABLE)
    return expanded(named) if named else None


def setting_variables(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the environment variables that are settings, in the order in which they are read."""
    ours = (name for name in sorted(environ) if name.startswith(PREFIX) and name != FILE_VARIABLE)
    return [name for name in ours if not _KUBERNETES.fullmatch(name)]


def configure(
    file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    overrides_from: str = COMMAND_LINE,
) -> Configuration:
    """Return the settings.

    Args:
        file: The file to read; else the one that SECONDHAND_CONFIG names; else the default file, if it exists.
        overrides: Settings that win over all others, as tables like those of the file.
        environ: The environment.
        overrides_from: The source of `overrides`.

    Raises:
        ConfigError: the settings are invalid; it holds all faults.
    """
    file = settings_file(file, environ)
    values: dict[Location, _Value] = {}
    if file is not None:
        _merge(values, read_toml(file), str(file))
    for name in setting_variables(environ):
        location = tuple(name.removeprefix(PREFIX).lower().split("__"))
        _merge(values, _parse_variable(environ[name], location), f"environment {name}", location)
    _merge(values, overrides or {}, overrides_from)
    values = _with_profile(values)
    sources = {location: value.source for location, value in values.items()}
    try:
        settings = Settings.model_validate(_nested(values))
    except ValidationError as error:
        raise ConfigError(*faults_of(error, Settings, lambda location: _place(location, sources))) from None
    read_clients(settings.answer.client_list)
    # an empty table sets no key
    set_by = {location: source for location, source in sources.items() if values[location].value != {}}
    configuration = Configuration(settings, file, set_by)
    refuse_overlaps(settings.site, settings.edge, configuration.source("site") or "settings")
    return configuration


def _merge(values: dict[Location, _Value], new: object, source: str, at: Location = ()) -> None:
    """Put every leaf of `new` into `values`; it replaces all values at, above or below its location.

    An empty table replaces nothing below it. It is put there if it is the only value, so that its name is checked.
    """
    if isinstance(new, Mapping) and (new or not at):
        for key, inner in new.items():
            _merge(values, inner, source, (*at, key))
        return
    if new == {} and any(len(other) > len(at) and _overlap(other, at) for other in values):
        return
    for other in [other for other in values if _overlap(other, at)]:
        del values[other]
    values[at] = _Value(new, source)


def _with_profile(values: dict[Location, _Value]) -> dict[Location, _Value]:
    """Return the values, on top of those of the profile that they name. Raises ConfigError if it does not exist."""
    profile = values.get(("profile",))
    if profile is None or profile.value == "":
        return values
    try:
        tables = profile_tables(str(profile.value))
    except ValueError as error:
        problem = f'found "{profile.value}", expected {error}, or nothing'
        raise ConfigError(Fault(profile.source, "profile", problem)) from None
    merged: dict[Location, _Value] = {}
    _merge(merged, tables, f"profile {profile.value}")
    for location, leaf in values.items():
        _merge(merged, leaf.value, leaf.source, location)
    return merged


def _nested(values: Mapping[Location, _Value]) -> dict[str, object]:
    """Return the values as nested tables."""
    tables: dict[str, object] = {}
    for location, leaf in values.items():
        table = tables
        for key in location[:-1]:
            inner = table.setdefault(str(key), {})
            assert isinstance(inner, dict)  # noqa: S101 - for mypy: no key is both a value and a table after _merge
            table = inner
        table[str(location[-1])] = leaf.value
    return tables


def _parse_variable(text: str, location: Location) -> object:
    """Return a variable's value: the text itself if the key takes text, else the text parsed as a TOML value."""
    kind: object = Settings
    for name in location:
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)) or name not in kind.model_fields:
            return text
        kind = kind.model_fields[str(name)].annotation
    # a plain string, a string enum, or a choice of literal strings
    if (isinstance(kind, type) and issubclass(kind, str)) or any(isinstance(choice, str) for choice in get_args(kind)):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _place(location: Location, sources: Mapping[Location, str]) -> tuple[str, str]:
    """Return the source of a value and its key; the key is empty if the source's name already tells it."""
    key = key_text(location)
    set_at = next((other for other in sources if _overlap(other, location)), None)
    if set_at is None:  # a default that conflicts with a value that is set
        return "settings", key
    source = _source_text(sources[set_at], set_at)
    names_the_key = source.startswith("environment ") or source != sources[set_at]
    return source, "" if names_the_key and set_at == location else key


def _overlap(one: Location, other: Location) -> bool:
    """Return whether two locations are equal, or one is inside the other."""
    return all(a == b for a, b in zip(one, other, strict=False))


def _source_text(source: str, location: Location) -> str:
    option = _OPTIONS_OF.get(source, {}).get(key_text(location))
    return f"{source} {option}" if option else source
