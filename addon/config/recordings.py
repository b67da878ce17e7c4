"""The tables `[recordings]` and `[replay]`: which recording to make or replay, and which POST requests are replayed."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Strict, model_validator

from addon.config.model import PathText, Section
from addon.config.offline import PostSettings
from cache.policy.operator_rules import PostRule


class RecordingsSettings(Section):
    """The table `[recordings]`: where recordings are, and which one is made or replayed from the start."""

    path: PathText = ""
    record: str = ""
    replay: str = ""

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.record and self.replay:
            raise ValueError("only one of record and replay")
        return self

    @property
    def doing(self) -> tuple[Literal["record", "replay"], str] | None:
        """The action and the name of the recording, or None."""
        if self.record:
            return "record", self.record
        return ("replay", self.replay) if self.replay else None


class ReplaySettings(Section):
    """The table `[replay]`: POST requests that only read, replayed by the content that they send."""

    post: Annotated[tuple[PostSettings, ...], Strict(strict=False)] = ()

    def rules(self) -> tuple[PostRule, ...]:
        """Return the rules in the form that the cache policy has."""
        return tuple(each.rule() for each in self.post)
