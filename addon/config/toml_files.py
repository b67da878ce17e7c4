"""Reads TOML files with clear errors, and writes values as TOML."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from addon.config.errors import ConfigError, Fault

_POSITION = re.compile(
    r"(?P<message>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)


def read_toml(file: Path) -> dict[str, object]:
    """Return the tables of a TOML file. Raises ConfigError; a syntax error has its line and column."""
    try:
        text = file.read_bytes().decode()
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(Fault(str(file), "", _syntax_problem(str(error), text))) from None
    except UnicodeDecodeError as error:
        problem = f"found bytes that are not UTF-8 at offset {error.start}, expected TOML"
        raise ConfigError(Fault(str(file), "", problem)) from None
    except OSError as error:
        problem = f"expected a file to read, found: {error.strerror or error}"
        raise ConfigError(Fault(str(file), "", problem)) from None


def _syntax_problem(error: str, text: str) -> str:
    at = _POSITION.fullmatch(error)
    if at is None:
        return error
    *before, last = text.split("\n")
    line, column = at["line"] or len(before) + 1, at["column"] or len(last) + 1
    return f"line {line}, column {column}: {at['message']}"


def toml_value(value: object) -> str:
    """Return a string, number, boolean, list or table as one line of TOML, without keys that are not set."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:.15g}" if isinstance(value, float) else str(value)
        case dict():
            inside = ", ".join(
                f"{toml_value(str(name))} = {toml_value(item)}" for name, item in value.items() if item is not None
            )
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            return f"[{', '.join(map(toml_value, value))}]"
    # a JSON string is a TOML string, except that TOML forbids DEL
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
