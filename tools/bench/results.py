"""All results, collected over several runs in one JSON file, so that a part of them can be measured again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tools.bench.rounds import Figures
from tools.bench.scenario_result import ScenarioResult


@dataclass(slots=True)
class Results:
    """Everything from which the page is made."""

    versions: dict[str, str] = field(default_factory=dict)
    """By server."""
    figures: dict[str, dict[str, Figures]] = field(default_factory=dict)
    """By comparison and server."""
    scenarios: dict[str, list[ScenarioResult]] = field(default_factory=dict)
    """By scenario."""
    machine: str = ""
    rounds: int = 0
    seconds: int = 0
    """Length of a round."""
    day: str = ""
    """Of the latest measurement."""

    @classmethod
    def read(cls, file: Path) -> Results:
        """Return the collected results; empty if there is no file, or if another version of this tool wrote it."""
        try:
            return msgspec.json.decode(file.read_bytes(), type=cls)
        except (FileNotFoundError, msgspec.ValidationError, msgspec.DecodeError):
            return cls()

    def write(self, file: Path) -> None:
        """Write the results, with today's date."""
        self.day = datetime.now(UTC).strftime("%-d %B %Y")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self)))
