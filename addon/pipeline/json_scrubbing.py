"""Replaces secret values in JSON text by the names of their members. The rest of the text stays unchanged."""

from __future__ import annotations

import json
import re
from collections.abc import Collection

PLACEHOLDER = '"scrubbed"'
"""The JSON string that replaces a value."""

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_ANY_STRING = re.compile(_STRING, re.DOTALL)
_COLON = re.compile(r"[ \t\n\r]*+:[ \t\n\r]*+")
# the tokens of a value, without the commas and colons inside it
_VALUE_TOKEN = re.compile(rf'{_STRING}|[{{}}\[\]]|[^ \t\n\r{{}}\[\],:"]++', re.DOTALL)
_DEPTH_CHANGE = {"{": 1, "[": 1, "}": -1, "]": -1}
# RFC 8259 §7: letters and the slash can be written as escapes too
_ESCAPED_CHARACTER = re.compile(r"\\[u/]")


def may_contain(text: str, names: Collection[str]) -> bool:
    """Return whether JSON text may have a member with one of these lower-case names. False is certain, true is not."""
    if _ESCAPED_CHARACTER.search(text):
        return True
    lower = text.lower()
    return any(json.dumps(name, ensure_ascii=False) in lower for name in names)


def replace_values(text: str, names: Collection[str]) -> tuple[str, int]:
    """Return JSON text with `PLACEHOLDER` for each value of a member with one of these names, and how many there were.

    The names are in lower case, and match names in any case. Members are found at any depth, repeated ones too.

    Raises:
        ValueError: the text is not valid JSON, so it may hold a secret.
    """
    _check(text)
    pieces: list[str] = []
    copied = position = 0
    while string := _ANY_STRING.search(text, position):
        position = string.end()
        colon = _COLON.match(text, position)
        if colon and _unescaped(string[0]).lower() in names:
            position = _end_of_value(text, colon.end())
            pieces += text[copied : colon.end()], PLACEHOLDER
            copied = position
    return "".join([*pieces, text[copied:]]), len(pieces) // 2


def _check(text: str) -> None:
    """Raise ValueError if the text is not valid JSON."""
    try:
        # `len` builds no objects or numbers, so nothing is kept and very long numbers are accepted
        json.loads(text, object_pairs_hook=len, parse_int=len, parse_float=len)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _unescaped(string: str) -> str:
    return str(json.loads(string)) if "\\" in string else string[1:-1]


def _end_of_value(text: str, start: int) -> int:
    """Return the end of the value that begins at `start` in valid JSON."""
    depth = 0
    for token in _VALUE_TOKEN.finditer(text, start):
        depth += _DEPTH_CHANGE.get(token[0], 0)
        if not depth:
            return token.end()
    raise ValueError("it ends within a value")
