"""Sizes and times as people write them in a settings file, and as this program shows them."""

from __future__ import annotations

import math
import re
from typing import Annotated

from pydantic import BeforeValidator

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", re.IGNORECASE)

_BYTES = {"": 1, "b": 1}
for _power, _letter in enumerate("kmgt", start=1):
    _BYTES |= {f"{_letter}b": 1000**_power, f"{_letter}ib": 1024**_power}

_SECONDS: dict[str, float] = {"": 1, "ms": 0.001}
for _seconds, _names in (
    (1, "s sec second seconds"),
    (60, "m min minute minutes"),
    (3600, "h hour hours"),
    (86_400, "d day days"),
):
    _SECONDS |= dict.fromkeys(_names.split(), _seconds)


def parse_size(value: object) -> int:
    """Return a size in bytes, from a whole number or text like `2 GiB` or `500 MB`.

    Raises:
        ValueError: it is neither; the text names the expected value.
    """
    number = _number(value, _BYTES)
    if number is None or isinstance(value, float):
        raise ValueError('a size like "2 GiB" or "500 MB", or a number of bytes')
    return int(number)


def parse_time(value: object) -> float:
    """Return a time in seconds, from a number or text like `24h` or `5 min`.

    Raises:
        ValueError: it is neither; the text names the expected value.
    """
    number = _number(value, _SECONDS)
    if number is None:
        raise ValueError('a time like "24h" or "5 min", or a number of seconds')
    return number


def percent(part: int, whole: int) -> str:
    """Return a part of a whole as text, like 12.5%."""
    return f"{100 * part / whole:.1f}%" if whole else "0%"


def _number(value: object, units: dict[str, float] | dict[str, int]) -> float | None:
    """Return a number in its base unit, or None if `value` is not a finite number of at least 0."""
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value.strip())
        unit = units.get(match[2].lower()) if match else None
        return float(match[1]) * unit if match and unit is not None else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return value


def _positive_size(value: object) -> int:
    if not (number := parse_size(value)):
        raise ValueError('a size above 0, like "2 GiB"')
    return number


def _positive_time(value: object) -> float:
    if not (number := parse_time(value)):
        raise ValueError('a time above 0, like "5 min"')
    return number


Size = Annotated[int, BeforeValidator(parse_size, json_schema_input_type=int | str)]
PositiveSize = Annotated[int, BeforeValidator(_positive_size, json_schema_input_type=int | str)]
Seconds = Annotated[float, BeforeValidator(parse_time, json_schema_input_type=float | str)]
PositiveSeconds = Annotated[float, BeforeValidator(_positive_time, json_schema_input_type=float | str)]


def size_text(number: int) -> str:
    """Return a size in bytes as text with at most one decimal: `512 B`, `1.5 MiB`."""
    size, unit = float(number), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.1f}".removesuffix(".0") + f" {unit}"


def time_text(number: float) -> str:
    """Return a time in seconds as text with its two largest units: `45s`, `3m 20s`, `2d 4h`."""
    left = max(0, int(number))
    parts = []
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0s"
