"""All figures, collected over runs in one file, so that a single line can be measured again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tools.bench.finding import Finding
from tools.bench.rounds import Figures


@dataclass(slots=True)
class Results:
    """What the page is made of."""

    versions: dict[str, str] = field(default_factory=dict)
    figures: dict[str, dict[str, Figures]] = field(default_factory=dict)
    """By line and server."""
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    """By scenario."""
    machine: str = ""
    rounds: int = 0
    seconds: int = 0
    day: str = ""
    """Of the latest measurement."""

    @classmethod
    def read(cls, file: Path) -> Results:
        """Return what has been collected so far, or nothing where it was collected by another release of this."""
        try:
            return msgspec.json.decode(file.read_bytes(), type=cls)
        except (FileNotFoundError, msgspec.ValidationError, msgspec.DecodeError):
            return cls()

    def write(self, file: Path) -> None:
        """Keep it."""
        self.day = datetime.now(UTC).strftime("%-d %B %Y")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self)))
