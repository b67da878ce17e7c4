"""The reference of the settings has every key that the example file has, with its comment and its default."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping

import pytest

from tools.documentation.example_settings import read_example
from tools.documentation.settings import EXAMPLE, all_settings, page

TABLES_OF_ONE_TABLE = {"replay", "site.rules.limits.requests"}
"""Names that only other keys begin with."""


@pytest.fixture(scope="module")
def text() -> str:
    return page()


def keys_of(table: Mapping[str, object], above: str = "") -> Iterator[str]:
    """Iterate over all keys of a file, those of tables inside tables included."""
    for key, value in table.items():
        yield above + key
        if key in ("set", "append"):  # their keys are names of fields
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from keys_of(each, f"{above}{key}.")


def test_every_key_of_the_example_has_a_section(text: str) -> None:
    example = tomllib.loads(re.sub(r"(?m)^#(?=\S)", "", EXAMPLE.read_text(encoding="utf-8")))
    sections = set(re.findall(r"(?m)^\(setting-(.*)\)=$", text))
    assert {*keys_of(example)} - sections == TABLES_OF_ONE_TABLE


def test_every_key_of_the_models_has_a_section(text: str) -> None:
    for setting in all_settings():
        assert f"(setting-{setting.path})=" in text


def test_a_section_has_comment_default_choices_and_variable(text: str) -> None:
    (section,) = re.findall(r"(?ms)^### `answer\.status`\n(.*?)^\(", text)
    assert "The status of a copy of a 200." in section
    assert '- Default: `"auto"`' in section
    assert '- Values: `"auto"`, `"always"`, `"origin"`' in section or '"always"' in section
    assert "- Environment variable: `SECONDHAND_ANSWER__STATUS`" in section


def test_a_key_in_a_list_of_tables_has_no_variable_and_its_default_from_the_model(text: str) -> None:
    (section,) = re.findall(r"(?ms)^### `site\.max_fails`\n(.*?)^\(", text)
    assert "- Default: `1`" in section
    assert "SECONDHAND_" not in section


def test_comments_belong_to_the_key_or_table_below_them() -> None:
    example = read_example('# Top.\n\n# A table.\n[one]\n# A key.\nkey = 1\n\n# Optional.\n#[[two]]\n#other = "x"\n')
    assert example.introduction == "Top."
    assert example.tables == {"one": "A table.", "two": "Optional."}
    assert example.keys == {"one.key": ("A key.", "1"), "two.other": ("", '"x"')}
    assert (example.lists, example.defaults) == ({"two"}, {"one.key"})


def test_values_in_a_comment_are_code(text: str) -> None:
    assert '`"auto"`: store it without its cookies if it has public or s-maxage' in text
    assert '`"127.0.0.1"` only this machine can' in text
    assert 'Link with rel="original"' in text
