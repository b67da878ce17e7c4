"""A settings file for a start: the example with its values as comments."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from addon.config.new_file import new_settings_file

EXAMPLE = (Path(__file__).parents[3] / "config.example.toml").read_text(encoding="utf-8")


def test_the_new_file_sets_nothing() -> None:
    tables = tomllib.loads(new_settings_file(EXAMPLE))
    assert tables
    assert all(table == {} for table in tables.values())


def test_without_the_comment_marks_it_has_every_key_of_the_example() -> None:
    new = re.sub(r"(?m)^#(?=\S)", "", new_settings_file(EXAMPLE))
    assert tomllib.loads(new) == tomllib.loads(re.sub(r"(?m)^#(?=\S)", "", EXAMPLE))
