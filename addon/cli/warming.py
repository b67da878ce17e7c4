"""How a round of warming is shown while it goes on: a bar on a terminal, a line for each URL elsewhere."""

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


class Bar(Progress):
    """A bar on standard error, and a line above it for whatever fails."""

    def __init__(self) -> None:
        self._shown = RichProgress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[size]}"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._shown.add_task("", total=0, size="")
        self._total = self._octets = 0

    def __enter__(self) -> Self:
        """Show it."""
        self._shown.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take it away."""
        self._shown.stop()

    def found(self, count: int) -> None:
        """Make the way longer."""
        self._total += count
        self._shown.update(self._task, total=self._total)

    def done(self, name: str, how: str, octets: int) -> None:
        """Go on by one."""
        self._octets += octets
        shown = printable(name)
        self._shown.update(self._task, advance=1, size=size_text(self._octets), description=shown[-60:])
        if how not in ("fetched", "there"):
            self._shown.console.print(Text(f"failed: {shown}: {printable(how)}"))


class Lines(Progress):
    """One tab-separated line for each URL: how it went, the URL, and why it failed."""

    @override
    def done(self, name: str, how: str, octets: int) -> None:
        """Say a line."""
        line = [how, name] if how in ("fetched", "there") else ["failed", name, how]
        typer.echo("\t".join(map(printable, line)))
