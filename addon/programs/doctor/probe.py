"""Runs one program over http, to see that it uses the proxy, and over https, to see that it trusts the CA."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from addon.programs.doctor.fixtures import SITE
from addon.programs.doctor.programs import Program

PROBE_TIMEOUT = 60.0
"""Seconds that a program may run."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of probing one program."""

    name: str
    uses_proxy: bool
    """The proxy got its requests."""
    trusts_ca: bool
    """The proxy got its requests over TLS."""
    accepts_copies: bool
    """It succeeded with the stored responses that the proxy sent."""
    last_line: str = ""
    """The last line that it printed, if something failed."""

    @property
    def is_ok(self) -> bool:
        """Return whether the program needs no further configuration."""
        return self.uses_proxy and self.trusts_ca and self.accepts_copies


@dataclass(frozen=True, slots=True)
class _Attempt:
    hits: int
    succeeded: bool
    last_line: str


def examine(
    program: Program, proxy: str, environ: Mapping[str, str], counters: Callable[[], Mapping[str, int]]
) -> ProbeResult | None:
    """Run a program and return the result, or None if it is not installed.

    Args:
        program: The program.
        proxy: The URL of a proxy whose store has the fixtures.
        environ: The environment, with the variables of `secondhand run`.
        counters: Returns the counters of that proxy.
    """
    attempts = []
    for scheme in ("http", "https"):
        before = counters().get(f"hits.{scheme}", 0)
        outcome = _run(program, f"{scheme}://{SITE}", proxy, environ)
        if outcome is None:
            return None
        succeeded, last_line = outcome
        attempts.append(_Attempt(counters().get(f"hits.{scheme}", 0) - before, succeeded, last_line))
    plain, secure = attempts
    result = ProbeResult(
        name=program.name,
        uses_proxy=bool(plain.hits or secure.hits),
        trusts_ca=bool(secure.hits),
        accepts_copies=(plain.succeeded or not plain.hits)
        and (secure.succeeded or not secure.hits)
        and (plain.succeeded or secure.succeeded),
    )
    last_line = next((each.last_line for each in (secure, plain) if not each.succeeded), "")
    return result if result.is_ok else replace(result, last_line=last_line)


def _run(program: Program, site: str, proxy: str, environ: Mapping[str, str]) -> tuple[bool, str] | None:
    """Return whether the program succeeded, and the last line that it printed; None if it is not installed."""
    with tempfile.TemporaryDirectory(prefix="secondhand-doctor-") as folder:
        command = program.command(site, Path(folder), proxy)
        if command is None:
            return None
        variables = {name: value.format(site=site) for name, value in program.variables.items()}
        try:
            done = subprocess.run(  # noqa: S603 - the command line is from our own table; no shell runs it
                command,
                env={**environ, **variables},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=PROBE_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return False, str(error)
    output = done.stdout.decode(errors="replace")
    lines = output.strip().splitlines() or [f"exit code {done.returncode}, and no output"]
    return done.returncode == 0 and program.expected in output, lines[-1]
