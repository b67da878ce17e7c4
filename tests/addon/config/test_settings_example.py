"""The example of a settings file has every key with its default and a comment."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from addon.config.load import configure
from addon.config.settings import Settings
from cache.policy.operator_rules import AnswerStatus
from tests.fixtures.settings_files import configured

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"

pytestmark = pytest.mark.usefixtures("default_settings")


def without_comment_marks(text: str) -> str:
    """Return the example with its optional lines, those that begin with "#" and no space, turned on."""
    return re.sub(r"(?m)^#(?=\S)", "", text)


def test_the_example_file_equals_the_defaults() -> None:
    assert configure(EXAMPLE, {}, {}).settings == Settings()


def test_the_optional_lines_of_the_example_are_valid(tmp_path: Path) -> None:
    text = without_comment_marks(EXAMPLE.read_text(encoding="utf-8"))
    users = tmp_path / "preview.htpasswd"
    users.write_text(f"ada:$2y$05${53 * 'a'}\n")
    settings = configured(tmp_path, text.replace("/etc/secondhand/preview.htpasswd", str(users))).settings
    assert [rule.status for rule in settings.answer.rules] == [AnswerStatus.ORIGIN]
    assert [annotation.remove for annotation in settings.annotate] == [("Server",)]


def test_the_example_has_every_key() -> None:
    example = tomllib.loads(without_comment_marks(EXAMPLE.read_text(encoding="utf-8")))
    assert set(keys_of_table(example)) == set(keys_of_model(Settings))


def test_every_key_of_the_example_has_a_comment_above_it() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for before, line in pairwise(lines):
        if re.match(r"\w+ = ", line):
            assert before.startswith("# "), line


def keys_of_table(table: Mapping[str, object], above: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict) and key not in ("set", "append"):
            yield from keys_of_table(value, f"{above}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for each in value:
                yield from keys_of_table(each, f"{above}{key}.")
        else:
            yield above + key


def keys_of_model(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for key, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        inner = [kind for kind in kinds if issubclass(kind, BaseModel)]
        if inner:
            yield from keys_of_model(inner[0], f"{above}{key}.")
        else:
            yield above + key
