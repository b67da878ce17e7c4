"""The operations of the admin API: each is a control command, by a path and a method of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Arguments(BaseModel):
    """The arguments of an operation: the query of GET, the JSON of any other method."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def of_command(self) -> dict[str, object]:
        """Return the arguments of the control command."""
        return self.model_dump(mode="json", exclude_none=True)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation."""

    method: Literal["GET", "POST", "PUT"]
    path: str
    command: str
    """The control command that does it."""
    summary: str
    arguments: type[Arguments] = Arguments

    def result(self, reply: Mapping[str, object]) -> object:
        """Return the content of the response, by the reply to the command."""
        return reply


OPERATIONS = (
    Operation("GET", "/status", "status", "The processes of the proxy, where it listens, its mode, origins and store."),
)
"""All operations."""
