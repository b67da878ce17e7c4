"""The tables `[recordings]`, which one is made or replayed from the start, and `[replay]`, what else it answers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Strict, model_validator

from addon.config.offline import Post
from addon.config.section import Section
from cache.policy.rules import PostRule


class Recordings(Section):
    """Where recordings are, and which one is made or replayed from the start."""

    path: str = ""
    record: str = ""
    replay: str = ""

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Self:
        if self.record and self.replay:
            raise ValueError("only one of record and replay")
        return self

    @property
    def doing(self) -> tuple[Literal["record", "replay"], str] | None:
        """What is done, and the name of the recording; None for neither."""
        if self.record:
            return "record", self.record
        return ("replay", self.replay) if self.replay else None


class Replay(Section):
    """Requests by POST that only read: recorded and replayed by what they send."""

    post: Annotated[tuple[Post, ...], Strict(strict=False)] = ()

    def rules(self) -> tuple[PostRule, ...]:
        """Return the rules as the cache takes them."""
        return tuple(each.rule() for each in self.post)
