"""Shows the progress of `secondhand warm`: a bar on a terminal, else one line per URL."""

from __future__ import annotations

from typing import Self, override

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from addon.cli.terminal import printable
from addon.config.units import size_text
from addon.warm.run import Progress


class ProgressBar(Progress):
    """A progress bar on standard error, with a line above it for each failure."""

    def __init__(self) -> None:
        self._bar = RichProgress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[size]}"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=0, size="")
        self._total = self._size = 0

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._bar.stop()

    def found(self, count: int) -> None:
        """Add `count` URLs to the total."""
        self._total += count
        self._bar.update(self._task, total=self._total)

    def done(self, name: str, outcome: str, size: int) -> None:
        """Advance the bar by one URL."""
        self._size += size
        shown = printable(name)
        self._bar.update(self._task, advance=1, size=size_text(self._size), description=shown[-60:])
        if outcome not in ("fetched", "fresh"):
            self._bar.console.print(Text(f"failed: {shown}: {printable(outcome)}"))


class ProgressLines(Progress):
    """One tab-separated line per URL: `fetched`, `fresh` or `failed`, the URL, and why it failed."""

    @override
    def done(self, name: str, outcome: str, size: int) -> None:
        """Print the line of a URL."""
        line = [outcome, name] if outcome in ("fetched", "fresh") else ["failed", name, outcome]
        typer.echo("\t".join(map(printable, line)))
