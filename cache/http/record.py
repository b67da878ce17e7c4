"""Records: immutable dataclasses, many of which are made for each request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import dataclass_transform

RECORDS: list[type] = []
"""All classes of records. The tests run with a guard against changes of them."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record[Kind](kind: type[Kind]) -> type[Kind]:
    """Make a class a dataclass with slots, which type checkers take for frozen.

    At run time it is not: the constructor of a frozen dataclass takes more than twice as long.
    """
    made = dataclass(slots=True, unsafe_hash="__hash__" not in vars(kind))(kind)
    RECORDS.append(made)
    return made
