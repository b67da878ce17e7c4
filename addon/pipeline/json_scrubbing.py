"""JSON whose members of some names lose their values, as text: every other octet of it stays as it came."""

from __future__ import annotations

import json
import re
from collections.abc import Collection

SCRUBBED = '"scrubbed"'
"""What stands where a value stood."""

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_ANY_STRING = re.compile(_STRING, re.DOTALL)
_COLON = re.compile(r"[ \t\n\r]*+:[ \t\n\r]*+")
# what a value is made of, the commas and colons within it aside
_PIECE = re.compile(rf'{_STRING}|[{{}}\[\]]|[^ \t\n\r{{}}\[\],:"]++', re.DOTALL)
_DEPTH = {"{": 1, "[": 1, "}": -1, "]": -1}
# RFC 8259 §7: letters and the slash can be written as escapes too
_DISGUISE = re.compile(r"\\[u/]")


def may_contain(text: str, names: Collection[str]) -> bool:
    """Tell whether JSON text may have a member of one of these lower-case names; if not, it need not be read."""
    lower = text.lower()
    return _DISGUISE.search(text) is not None or any(json.dumps(name, ensure_ascii=False) in lower for name in names)


def without_values(text: str, names: Collection[str]) -> tuple[str, int]:
    """Return JSON text with `SCRUBBED` in place of what stands under lower-case names, and how often that was.

    A name is found at whatever depth, in any case of its letters, and each time that an object repeats it.

    Raises:
        ValueError: it is no JSON, so that nobody knows what is in it.
    """
    _check(text)
    pieces: list[str] = []
    kept = at = 0
    while string := _ANY_STRING.search(text, at):
        at = string.end()
        colon = _COLON.match(text, at)
        if colon and _spelled_out(string[0]).lower() in names:
            at = _end_of_value(text, colon.end())
            pieces += text[kept : colon.end()], SCRUBBED
            kept = at
    return "".join([*pieces, text[kept:]]), len(pieces) // 2


def _check(text: str) -> None:
    try:
        # only whether it can be read is asked: nothing of it is kept, and no number too long to be one
        json.loads(text, object_pairs_hook=len, parse_int=len, parse_float=len)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _spelled_out(string: str) -> str:
    return str(json.loads(string)) if "\\" in string else string[1:-1]


def _end_of_value(text: str, start: int) -> int:
    """Return where a value ends that begins at `start` of valid JSON."""
    depth = 0
    for piece in _PIECE.finditer(text, start):
        depth += _DEPTH.get(piece[0], 0)
        if not depth:
            return piece.end()
    raise ValueError("it ends within a value")
