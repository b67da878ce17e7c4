"""The list of clients and kinds of request that break on status 203: the shipped file, or the operator's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import Strict, ValidationError, model_validator

from addon.config.errors import ConfigError, Location, faults_of, key_text
from addon.config.model import RegularExpression, Section, Token
from addon.config.toml_files import read_toml, toml_value
from cache.policy.operator_rules import ClientRule

SHIPPED = Path(__file__).with_name("clients.toml")

_CONDITIONS = ("user_agent", "method", "path", "accept", "content_type", "fetch_dest")


class ClientSettings(Section):
    """One `[[client]]` table. It matches if all its conditions do; patterns are searched for, and case matters."""

    name: Token
    user_agent: RegularExpression | None = None
    method: Token | None = None
    path: RegularExpression | None = None
    accept: RegularExpression | None = None
    content_type: RegularExpression | None = None
    fetch_dest: Annotated[tuple[Token, ...], Strict(strict=False)] = ()
    measured: str = ""
    """The versions that were measured."""
    breaks: str = ""
    """The failure that a 203 causes."""

    @model_validator(mode="after")
    def _has_condition(self) -> Self:
        # a table without conditions would match every request, and no client would get a 203
        if not any(getattr(self, condition) for condition in _CONDITIONS):
            raise ValueError(f"at least one condition: {', '.join(_CONDITIONS)}")
        return self

    def rule(self) -> ClientRule:
        """Return the rule in the form that the cache policy has."""
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
        """Return the conditions as one line of text."""
        given = self.model_dump(include=set(_CONDITIONS), exclude_defaults=True)
        return ", ".join(f"{name} {toml_value(value)}" for name, value in given.items())


class ClientList(Section):
    """A client list file."""

    client: Annotated[tuple[ClientSettings, ...], Strict(strict=False)] = ()


def read_clients(file: Path) -> tuple[ClientSettings, ...]:
    """Return the tables of a client list in order; the first that matches a request wins. Raises ConfigError."""
    try:
        return ClientList.model_validate(read_toml(file)).client
    except ValidationError as error:

        def place(location: Location) -> tuple[str, str]:
            return str(file), key_text(location)

        raise ConfigError(*faults_of(error, ClientList, place)) from None


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    return re.compile(pattern) if pattern is not None else None
