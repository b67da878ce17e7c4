"""The table `[recordings]`: which recording is made or replayed from the start."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from addon.section import Section


class Recordings(Section):
    """Which recording is made or replayed from the start."""

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
