"""The list of clients and kinds of request measured to break on a 203: shipped, or the operator's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict, ValidationError, model_validator

from addon.config.errors import ConfigError, Location, faults_of, key_text
from addon.config.toml_files import read_toml, toml_value
from cache.http.fields import TOKEN
from cache.policy.rules import ClientRule

SHIPPED = Path(__file__).with_name("clients.toml")


def token(value: str) -> str:
    """Return a token (RFC 9110 §5.6.2). Raises ValueError, saying what was expected."""
    if not TOKEN.fullmatch(value):
        raise ValueError('a token: letters, digits and "-", "_", "."')
    return value


def regular_expression(value: str) -> str:
    """Return a regular expression that compiles. Raises ValueError, saying what was expected."""
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from None
    return value


Token = Annotated[str, AfterValidator(token)]
RegularExpression = Annotated[str, AfterValidator(regular_expression)]

_CONDITIONS = ("user_agent", "method", "path", "accept", "content_type", "fetch_dest")


class Client(BaseModel):
    """One `[[client]]` table. Every condition given must hold; patterns are searched, case counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Token
    user_agent: RegularExpression | None = None
    method: Token | None = None
    path: RegularExpression | None = None
    accept: RegularExpression | None = None
    content_type: RegularExpression | None = None
    fetch_dest: Annotated[tuple[Token, ...], Strict(strict=False)] = ()
    measured: str = ""
    """The versions it was measured with."""
    breaks: str = ""
    """What goes wrong with a 203."""

    @model_validator(mode="after")
    def _has_condition(self) -> Self:
        # a row without any condition would take the 203 from everybody
        if not any(getattr(self, condition) for condition in _CONDITIONS):
            raise ValueError(f"at least one condition: {', '.join(_CONDITIONS)}")
        return self

    def rule(self) -> ClientRule:
        """Return the rule as the cache takes it."""
        return ClientRule(
            name=self.name,
            user_agent=_compiled(self.user_agent),
            method=self.method,
            path=_compiled(self.path),
            accept=_compiled(self.accept),
            fetch_dest=frozenset(self.fetch_dest),
            content_type=_compiled(self.content_type),
        )

    def conditions(self) -> str:
        """Return the conditions on one line, for people."""
        given = self.model_dump(include=set(_CONDITIONS), exclude_defaults=True)
        return ", ".join(f"{name} {toml_value(value)}" for name, value in given.items())


class ClientList(BaseModel):
    """A whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    client: Annotated[tuple[Client, ...], Strict(strict=False)] = ()


def read_clients(file: Path) -> tuple[Client, ...]:
    """Return the rows of a client list in order; the first that matches wins. Raises ConfigError."""
    try:
        return ClientList.model_validate(read_toml(file)).client
    except ValidationError as error:

        def place(location: Location) -> tuple[str, str]:
            return str(file), key_text(location)

        raise ConfigError(*faults_of(error, ClientList, place)) from None


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern is not None else None
