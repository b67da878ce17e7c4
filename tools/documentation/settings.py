"""The reference of the settings: every key of the models, with the comment that config.example.toml has about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import EnumType, StrEnum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from addon.config.load import PREFIX
from addon.config.settings import Settings
from tools.documentation.example_settings import Example, read_example
from tools.documentation.markdown import anchor, escaped

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"

INTRODUCTION = """\
# Settings

This page is made from the program when the documentation is built, so it has every setting.
`secondhand config check` reports mistakes in your settings, and `secondhand config show` prints the values in use.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key.

    Attributes:
        path: Its tables and its name, joined by dots.
        field: The field of the model.
        is_in_list: One of its tables is a list of tables, like `[[site]]`. No environment variable is for such a key.
    """

    path: str
    field: FieldInfo
    is_in_list: bool

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"{PREFIX}{self.path.replace('.', '__').upper()}"

    @property
    def choices(self) -> list[str]:
        """The values that it may have, if they are few."""
        return [f'"{each}"' if isinstance(each, str) else str(each) for each in _choices(self.field.annotation)]


def all_settings() -> list[Setting]:
    """Return all settings, in the order of the models."""
    return list(_settings_of(Settings, "", is_in_list=False))


def _settings_of(model: type[BaseModel], above: str, *, is_in_list: bool) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        setting = Setting(f"{above}{field.alias or name}", field, is_in_list)
        inner = _model_in(field.annotation)
        if inner is None or not _is_table(field.annotation):
            yield setting
        if inner is not None:
            in_list = is_in_list or not _is_table(field.annotation)
            yield from _settings_of(inner, f"{setting.path}.", is_in_list=in_list)


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model of the tables that a field holds, if it holds tables."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each))), None)


def _choices(annotation: Any) -> list[object]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if isinstance(annotation, EnumType) and issubclass(annotation, StrEnum):
        return [str(each) for each in annotation]
    return [choice for each in get_args(annotation) for choice in _choices(each)]


def page() -> str:
    """Return the page: a section for each table, with its keys."""
    example = read_example(EXAMPLE.read_text(encoding="utf-8"))
    sections: dict[str, list[Setting]] = {"": [], **{table: [] for table in example.tables}}
    for setting in all_settings():
        if setting.path not in example.lists:  # a list of tables is a section itself
            sections[_table_of(setting.path, example)].append(setting)
    parts = [INTRODUCTION, example.introduction]
    for table, settings in sections.items():
        parts += _heading_of(table, example)
        parts += [_entry(setting, example) for setting in settings]
    return "\n\n".join(parts) + "\n"


def _table_of(path: str, example: Example) -> str:
    """Return the table of the file in which a key is written, perhaps inside the value of another key."""
    above = path.rpartition(".")[0]
    return above if not above or above in example.tables else _table_of(above, example)


def _heading_of(table: str, example: Example) -> list[str]:
    if not table:
        return ["## The top of the file"]
    name = f"[[{table}]]" if table in example.lists else f"[{table}]"
    return [f"{anchor(f'setting-{table}')}\n## `{name}`", escaped(_with_code(example.tables[table]))]


def _entry(setting: Setting, example: Example) -> str:
    comment, value = example.keys.get(setting.path, ("", ""))
    described = escaped(_with_code(comment)) if comment else _pointer(setting.path, example)
    facts = [_default_of(setting, value, example)]
    if value and setting.path not in example.defaults:
        facts.append(f"Example: `{value}`")
    if setting.choices:
        facts.append(f"Values: {', '.join(f'`{each}`' for each in setting.choices)}")
    if not setting.is_in_list:
        facts.append(f"Environment variable: `{setting.variable}`")
    listed = "\n".join(f"- {fact}" for fact in facts)
    return f"{anchor(f'setting-{setting.path}')}\n### `{setting.path}`\n\n{described}\n\n{listed}"


def _with_code(comment: str) -> str:
    """Return a comment with its values, which are in double quotes, as code."""
    return "".join(
        piece if piece.startswith("`") else re.sub(r'(?<![\w=])"[^"`]+"', r"`\g<0>`", piece)
        for piece in re.split(r"(`[^`]*`)", comment)
    )


def _pointer(path: str, example: Example) -> str:
    """Return where a key without a comment of its own is described: at a key or a table that contains it."""
    above = path.rpartition(".")[0]
    known = example.tables | example.keys
    return f"See [`{above}`](#setting-{above})." if above in known else _pointer(above, example)


def _default_of(setting: Setting, value: str, example: Example) -> str:
    if setting.path in example.defaults:
        return f"Default: `{value}`"
    if setting.field.is_required():
        return "Has to be set"
    default = setting.field.get_default(call_default_factory=True)
    # as TOML writes it, where that is short; tables inside tables have defaults of their own
    text = json.dumps(default, default=lambda _: None) if isinstance(default, str | int | float | tuple) else "null"
    return "Default: not set" if "null" in text else f"Default: `{text}`"
