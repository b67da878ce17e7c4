"""`secondhand config schema|init|path`: the form of a settings file, a new one, and the files that are read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption
from addon.cli.shipped_files import shipped_file
from addon.cli.terminal import fail, print_json, print_line, print_table
from addon.config.errors import ConfigError
from addon.config.load import FILE_VARIABLE, configure, file_of_environment, setting_variables, settings_file
from addon.config.new_file import new_settings_file
from addon.config.profiles import FOLDER
from addon.config.settings import Settings
from addon.config.user_folders import place_of_settings_file
from addon.runtime.exit_codes import FAILED

NO_HOME = "this user has no home directory: name a file"


def schema() -> None:
    """Print the form of a settings file as JSON Schema.

    Editors use it to check a file and to complete its keys.
    """
    described = Settings.model_json_schema()
    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **described})


def init(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The new file; by default, the one that is read.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a new settings file that has every key as a comment.

    Each key has its default value. Remove the "#" before those that you change.
    """
    place = file or file_of_environment(os.environ) or place_of_settings_file() or fail(NO_HOME, FAILED)
    place.parent.mkdir(parents=True, exist_ok=True)
    text = new_settings_file(shipped_file("config.example.toml").read_text(encoding="utf-8"))
    try:
        with place.open("w" if force else "x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        fail(f"{place}: expected a new file, found one that exists: --force replaces it", FAILED)
    if as_json:
        print_json({"path": str(place)})
    else:
        print_line(f"{place}: remove the # before the settings that you change")


def path(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Print the sources of the settings, in the order in which they are read.

    Later ones override earlier ones; options of a command override all of them.
    """
    rows = list(_sources(config))
    if as_json:
        print_json([{"source": source, "place": place or None, "state": state} for source, place, state in rows])
    else:
        print_table(
            ["SOURCE", "STATE", "PLACE"], [(source, state, place) for source, place, state in rows], copyable=True
        )


def _sources(config: Path | None) -> Iterator[tuple[str, str, str]]:
    """Iterate over the sources: what each is, its file, and whether it is read."""
    yield "defaults", "", "read"
    if profile := _profile(config):
        yield f"profile {profile}", str(FOLDER / f"{profile}.toml"), "read"
    files = [
        ("user's settings file", place_of_settings_file()),
        (f"${FILE_VARIABLE}", file_of_environment(os.environ)),
        ("--config", config),
    ]
    chosen = settings_file(config, os.environ)
    for name, file in files:
        yield name, str(file or ""), _state(file, chosen)
    for variable in setting_variables(os.environ):
        yield f"${variable}", "", "read"


def _state(file: Path | None, chosen: Path | None) -> str:
    if file is None:
        return "not set"
    if chosen not in (file, None):  # None: the file of the user is the only one, and cannot be read
        return "not read"
    try:
        with file.open("rb"):
            return "read"
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return error.strerror or str(error)


def _profile(config: Path | None) -> str:
    try:
        return configure(config).settings.profile
    except ConfigError:
        return ""  # secondhand config check says what is wrong
