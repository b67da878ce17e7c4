"""Reads the settings: defaults, the profile, the file, the environment, the command line; later wins."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from platformdirs import user_config_path
from pydantic import BaseModel, ValidationError

from addon.config.clients import read_clients
from addon.config.errors import ConfigError, Fault, Location, faults_of, key_text
from addon.config.profiles import profile_tables
from addon.config.settings import Settings
from addon.config.toml_files import read_toml

PREFIX = "SECONDHAND_"
FILE_VARIABLE = "SECONDHAND_CONFIG"

OPTIONS = {
    "listen": "--listen",
    "profile": "--profile",
    "store.path": "--store",
    "answer.status": "--answer",
    "recordings.record": "--record",
    "recordings.replay": "--replay",
}
"""The options of `serve` that stand for a key."""

# what Kubernetes tells every container about a service named "secondhand"
_NOT_OURS = re.compile(r"SECONDHAND_(SERVICE_(HOST|PORT\w*)|PORT(_\w+)?)")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings and where they come from."""

    settings: Settings
    file: Path | None
    """The file that was read, if any."""
    origins: Mapping[Location, str]
    """Who set what was set: the file, `environment NAME` or `command line`."""

    def source(self, *location: str) -> str | None:
        """Return who set a key, or None where the default holds."""
        at = next((at for at in self.origins if _related(at, location)), None)
        return None if at is None else _named(self.origins[at], at)


@dataclass(frozen=True, slots=True)
class _Value:
    value: object
    where: str


def usual_file() -> Path:
    """Return where the settings are looked for when nobody names a file."""
    return user_config_path("secondhand") / "config.toml"


def configure(
    file: Path | None = None, overrides: Mapping[str, object] | None = None, environ: Mapping[str, str] = os.environ
) -> Configuration:
    """Return the settings.

    Args:
        file: The file to read; else the one that SECONDHAND_CONFIG names; else the usual one, if it exists.
        overrides: What the command line says, as tables like those of the file.
        environ: The environment.

    Raises:
        ConfigError: with every fault that was found.
    """
    if file is None and environ.get(FILE_VARIABLE):
        file = Path(environ[FILE_VARIABLE]).expanduser()
    if file is None and usual_file().is_file():
        file = usual_file()
    values: dict[Location, _Value] = {}
    if file is not None:
        _merge(values, read_toml(file), str(file))
    for name in sorted(environ):
        if name.startswith(PREFIX) and name != FILE_VARIABLE and not _NOT_OURS.fullmatch(name):
            location = tuple(name.removeprefix(PREFIX).lower().split("__"))
            _merge(values, _from_environment(environ[name], location), f"environment {name}", location)
    _merge(values, overrides or {}, "command line")
    values = _above_the_profile(values)
    origins = {location: value.where for location, value in values.items()}
    try:
        settings = Settings.model_validate(_nested(values))
    except ValidationError as error:
        raise ConfigError(*faults_of(error, Settings, lambda location: _place(location, origins))) from None
    read_clients(settings.answer.client_list)
    return Configuration(settings, file, origins)


def _merge(values: dict[Location, _Value], said: object, where: str, at: Location = ()) -> None:
    """Put every leaf of `said` into `values`, in place of what is at, above or below it."""
    if isinstance(said, Mapping) and (said or not at):
        for key, inside in said.items():
            _merge(values, inside, where, (*at, key))
        return
    for other in [other for other in values if _related(other, at)]:
        del values[other]
    values[at] = _Value(said, where)


def _above_the_profile(values: dict[Location, _Value]) -> dict[Location, _Value]:
    """Return the values with the profile that they name beneath them. Raises ConfigError if there is none such."""
    named = values.get(("profile",))
    if named is None or named.value == "":
        return values
    try:
        tables = profile_tables(str(named.value))
    except ValueError as error:
        problem = f'found "{named.value}", expected {error}, or nothing'
        raise ConfigError(Fault(named.where, "profile", problem)) from None
    merged: dict[Location, _Value] = {}
    _merge(merged, tables, f"profile {named.value}")
    for location, leaf in values.items():
        _merge(merged, leaf.value, leaf.where, location)
    return merged


def _nested(values: Mapping[Location, _Value]) -> dict[str, object]:
    tables: dict[str, object] = {}
    for location, leaf in values.items():
        table = tables
        for key in location[:-1]:
            inner = table.setdefault(str(key), {})
            assert isinstance(inner, dict)  # noqa: S101 - _merge leaves no leaf above another
            table = inner
        table[str(location[-1])] = leaf.value
    return tables


def _from_environment(text: str, location: Location) -> object:
    """Return a variable's value: text where the key takes text, else what it is as TOML."""
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


def _place(location: Location, origins: Mapping[Location, str]) -> tuple[str, str]:
    """Return where a value comes from, and its key where that does not name it already."""
    key = key_text(location)
    at = next((at for at in origins if _related(at, location)), None)
    if at is None:  # nobody said it: a default that does not go with what was said
        return "settings", key
    where = _named(origins[at], at)
    names_the_key = where.startswith("environment ") or where != origins[at]
    return where, "" if names_the_key and at == location else key


def _related(one: Location, other: Location) -> bool:
    """Tell whether one location is the other, or leads to it."""
    return all(a == b for a, b in zip(one, other, strict=False))


def _named(where: str, at: Location) -> str:
    option = OPTIONS.get(key_text(at))
    return f"{where} {option}" if where == "command line" and option else where
