"""Errors in the settings: where the value comes from, which key it is, what was found, and what was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from addon.config.redaction import without_userinfo

Location = tuple[str | int, ...]
"""The path to a value: keys of tables, and positions in lists from 0."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `where` names the file, the environment variable or the command line option."""

    where: str
    key: str
    problem: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        return ": ".join(filter(None, (self.where, self.key, self.problem)))


class ConfigError(Exception):
    """The settings are invalid. The text has one line per fault."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def faults_of(
    error: ValidationError, model: type[BaseModel], place: Callable[[Location], tuple[str, str]]
) -> list[Fault]:
    """Return the faults that pydantic found, in this program's wording.

    Args:
        error: The error that pydantic raised.
        model: The class that was validated.
        place: Returns `where` and `key` of a location.
    """
    faults = []
    for details in error.errors():
        location = details["loc"]
        if location[-1:] == ("[key]",):  # pydantic's mark for a wrong key of a table, not a wrong value
            location = location[:-2]
        where, key = place(location)
        faults.append(Fault(where, key, _problem(details, model)))
    return faults


def key_text(location: Location) -> str:
    """Return a location as text: `store.path`; `annotate#2.set` is in the second table."""
    return "".join(f"#{part + 1}" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _problem(details: ErrorDetails, model: type[BaseModel]) -> str:
    location = details["loc"]
    if details["type"] == "extra_forbidden":
        known = _keys_at(location[:-1], model)
        close = get_close_matches(str(location[-1]), known, n=1)
        return f"unknown key, did you mean {close[0]}?" if close else f"unknown key, expected {_one_of(known)}"
    if details["type"] == "missing":
        return "found nothing, expected a value: this key is required"
    return f"found {_value_text(details['input'])}, expected {_expected(details)}"


_EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a string",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "less_than_equal": "a number of at most {le}",
    "greater_than_equal": "a number of at least {ge}",
}


def _expected(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    if details["type"] in ("enum", "literal_error"):
        return _one_of([f'"{name}"' for name in re.findall(r"'([^']*)'", str(context["expected"]))])
    if details["type"] == "value_error":
        return str(context["error"])
    return _EXPECTED.get(details["type"], details["msg"]).format(**context)


def _value_text(value: object) -> str:
    match value:
        case dict() | BaseModel():
            return "a table"
        case list() | tuple():
            return "a list" if value else "an empty list"
        case str():
            text = json.dumps(without_userinfo(value), ensure_ascii=False)
            return text if len(text) <= 80 else text[:76] + '..."'
        case bool():
            return str(value).lower()
    return str(value)


def _one_of(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _keys_at(location: Location, model: type[BaseModel]) -> list[str]:
    for part in location:
        if isinstance(part, str):
            field = model.model_fields[part]
            model = next(kind for kind in (field.annotation, *get_args(field.annotation)) if _is_model(kind))
    return list(model.model_fields)


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
