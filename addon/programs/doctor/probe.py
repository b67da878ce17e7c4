"""One program examined: over http, to see that it reaches the proxy; over https, to see that it trusts it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from addon.programs.doctor.fixtures import SITE
from addon.programs.doctor.programs import Program

PATIENCE = 60.0
"""Seconds that a program may take."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one program."""

    name: str
    reaches: bool
    """Its requests came to the proxy."""
    trusts: bool
    """So did those over TLS."""
    takes: bool
    """It made use of what the proxy answered from copies."""
    said: str = ""
    """The last line that it printed where something failed."""

    @property
    def is_well(self) -> bool:
        """Tell whether nothing has to be done."""
        return self.reaches and self.trusts and self.takes


@dataclass(frozen=True, slots=True)
class _Tried:
    hits: int
    worked: bool
    said: str


def examine(
    program: Program, proxy: str, environ: Mapping[str, str], counters: Callable[[], Mapping[str, int]]
) -> Finding | None:
    """Return what is found about a program, or None if it is not installed.

    Args:
        program: Which one.
        proxy: The URL of a proxy that holds the specimens.
        environ: The environment with the variables of `secondhand run`.
        counters: Returns what that proxy has counted.
    """
    tried = []
    for scheme in ("http", "https"):
        before = counters().get(f"hits.{scheme}", 0)
        attempt = _try(program, f"{scheme}://{SITE}", proxy, environ)
        if attempt is None:
            return None
        worked, said = attempt
        tried.append(_Tried(counters().get(f"hits.{scheme}", 0) - before, worked, said))
    plain, secure = tried
    reaches, trusts = bool(plain.hits or secure.hits), bool(secure.hits)
    takes = (plain.worked or not plain.hits) and (secure.worked or not secure.hits) and (plain.worked or secure.worked)
    finding = Finding(program.name, reaches, trusts, takes)
    said = next((each.said for each in (secure, plain) if not each.worked), "")
    return finding if finding.is_well else replace(finding, said=said)


def _try(program: Program, site: str, proxy: str, environ: Mapping[str, str]) -> tuple[bool, str] | None:
    """Return whether the program did what it was told, and the last line that it said; None if it is not there."""
    with tempfile.TemporaryDirectory(prefix="secondhand-doctor-") as folder:
        command = program.command(site, Path(folder), proxy)
        if command is None:
            return None
        variables = {name: value.format(site=site) for name, value in program.variables.items()}
        try:
            done = subprocess.run(  # noqa: S603 - its own command lines, and no shell reads them
                command,
                env={**environ, **variables},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return False, str(error)
    said = done.stdout.decode(errors="replace")
    lines = said.strip().splitlines() or [f"it ended with {done.returncode}"]
    return done.returncode == 0 and program.expected in said, lines[-1]
