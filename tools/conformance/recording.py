"""What was really said in a run of the suite, on both sides of the proxy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Contact:
    """A request that the origin got.

    Attributes:
        status: What it answered, None when it broke the connection instead.
        count: How many requests of this conversation it had got by then; its answers say so in Server-Request-Count.
    """

    method: str
    target: str
    fields: Mapping[str, str]
    status: int | None
    count: int | None


@dataclass(frozen=True)
class Exchange:
    """A request of the client's and the answer that it got; the suite's own set-up belongs to no test."""

    method: str
    target: str
    fields: Mapping[str, str]
    status: int
    received: Mapping[str, str]
    test: str | None = None

    @property
    def count(self) -> int | None:
        """Which of the origin's answers this is, as the origin said; None for an answer that it did not make."""
        said = self.received.get("server-request-count", "")
        return int(said) if said.isdecimal() else None

    def __str__(self) -> str:
        return f"{self.test}: {self.method} {self.target} {dict(self.fields)}: {self.status} {dict(self.received)}"


@dataclass
class Case:
    """A test as its author wrote it: `required`, `optimal` or `check`, and the tests without which it says nothing."""

    kind: str
    depends_on: Sequence[str]


@dataclass
class Recording:
    """A run of the suite: its verdicts, where None is a pass, and everything that was said."""

    tests: dict[str, Case] = field(default_factory=dict)
    verdicts: dict[str, str | None] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)

    def follow(self, later: Recording) -> Recording:
        """Return both runs as one. Of a test that was in both, the later verdict counts."""
        return Recording(
            self.tests | later.tests,
            self.verdicts | later.verdicts,
            self.exchanges + later.exchanges,
            self.contacts + later.contacts,
        )

    @cached_property
    def _conversations(self) -> dict[str, list[Contact]]:
        conversations = defaultdict(list)
        for contact in self.contacts:
            conversations[_conversation(contact.target)].append(contact)
        return conversations

    def conversation(self, exchange: Exchange) -> list[Contact]:
        """Return what the origin was asked in the conversation of an exchange, in its order."""
        return sorted(self._conversations[_conversation(exchange.target)], key=lambda contact: contact.count or 0)


def _conversation(target: str) -> str:
    """`/test/UUID/name?query` belongs to `/test/UUID`; `/config/UUID` and `/state/UUID` are for themselves."""
    return "/".join(target.split("?")[0].split("/")[:3])


def read(played: Mapping[str, Any], log: Sequence[Mapping[str, Any]]) -> Recording:
    """Return what the player and the origin wrote down."""
    return Recording(
        {test["id"]: Case(test["kind"], test["depends_on"]) for test in played["tests"]},
        {test: None if said is True else ": ".join(said) for test, said in played["results"].items()},
        [Exchange(**one) for one in played["exchanges"]],
        [Contact(**one) for one in log],
    )
