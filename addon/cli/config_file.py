"""`secondhand config schema|init|path`: the form of a settings file, a new one, and the files that are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from addon.cli.options import ConfigOption, JsonOption
from addon.cli.terminal import FAILED, fail, print_json, print_line, print_note, print_table
from addon.config.load import FILE_VARIABLE, PREFIX, settings_file
from addon.config.settings import Settings
from addon.config.settings_schema import settings_schema
from addon.config.toml_files import new_settings_file
from addon.config.user_folders import place_of_settings_file
