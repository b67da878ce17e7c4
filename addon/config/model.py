"""The base class of the settings tables, and the value types that several tables share.

A validator raises ValueError with the expected value as its text; `addon.config.errors` makes a whole message of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict

from addon.config.user_folders import WITHOUT_HOME
from cache.http.fields import TOKEN


class Section(BaseModel):
    """One table: frozen, without unknown keys, and with values of exactly the declared types."""

    # deferred: else each table is prepared to be read by itself, and again as a part of all settings
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


def token(value: str) -> str:
    """Return a token (RFC 9110 §5.6.2). Raises ValueError, whose text names the expected value."""
    if not TOKEN.fullmatch(value):
        raise ValueError('a token: letters, digits and "-", "_", "."')
    return value


def regular_expression(value: str) -> str:
    """Return a regular expression that compiles. Raises ValueError, whose text names the expected value."""
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from None
    return value


def path_text(value: str) -> str:
    """Return a path that can be used, or nothing. Raises ValueError, whose text names the expected value."""
    if "\0" in value:
        raise ValueError("a path without null characters")
    try:
        Path(value).expanduser()
    except RuntimeError:
        raise ValueError(WITHOUT_HOME) from None
    return value


def existing_file(value: str) -> str:
    """Return the path of an existing file, or nothing. Raises ValueError, whose text names the expected value."""
    if value and not Path(value).expanduser().is_file():
        raise ValueError("a file that exists")
    return value


def not_empty[Member](value: tuple[Member, ...]) -> tuple[Member, ...]:
    """Return a list that has members. Raises ValueError, whose text names the expected value."""
    if not value:
        raise ValueError("a list with at least one member")
    return value


Token = Annotated[str, AfterValidator(token)]
LowerCaseToken = Annotated[Token, AfterValidator(str.lower)]
RegularExpression = Annotated[str, AfterValidator(regular_expression)]
PathText = Annotated[str, AfterValidator(path_text)]
"""A path, as the user writes it; `~` is the home directory."""
ExistingFile = Annotated[PathText, AfterValidator(existing_file)]

# TOML gives lists, which strict tuples would refuse
Strings = Annotated[tuple[str, ...], Strict(strict=False)]
Tokens = Annotated[tuple[Token, ...], Strict(strict=False)]
LowerCaseTokens = Annotated[tuple[LowerCaseToken, ...], Strict(strict=False)]
