"""Fuzzing: run targets on inputs that are changed at random, and that are kept where they reach new branches.

`make fuzz` runs all targets for a minute each. ARGS="--seconds 600 range vary" names targets and another time.
A target ends at the first input for which it raises. That input is written to `.fuzz/faults`, and
`make fuzz ARGS="--input FILE TARGET"` runs it again.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.fuzz.targets import CORPUS, NAMES

WORK = Path(".fuzz")
"""The folder of inputs that later runs begin with, and of those that show faults."""

MAX_LENGTH = 4096
"""Bytes of the longest input."""

INPUT_TIMEOUT = 20
"""Seconds of one input. Longer work is a fault, like that of an endless loop."""

MAX_MEMORY = 1024
"""Megabytes of a process. More is a fault."""

_PROGRESS = re.compile(r"^#\d+\s+(INITED|DONE)\s+cov: (\d+)", re.MULTILINE)
_EXECUTIONS = re.compile(r"^stat::number_of_executed_units:\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a target. Branches are those that inputs have reached: of the corpus, and at the end."""

    target: str
    status: int
    output: str

    def __str__(self) -> str:
        """Return the run as a line of the table."""
        executions = _EXECUTIONS.search(self.output)
        branches = dict(_PROGRESS.findall(self.output))
        counted = f"{int(executions[1]) if executions else 0:>11,}"
        before, after = branches.get("INITED", "?"), branches.get("DONE", "?")
        return f"{self.target:18}{counted}{before:>10}{after:>8}  {'FAULT' if self.status else 'ok'}"


def run(target: str, seconds: int, seed: int) -> Run:
    """Fuzz a target in a process of its own."""
    kept = WORK / target
    kept.mkdir(parents=True, exist_ok=True)
    return _engine(target, [str(kept), str(CORPUS / target), f"-max_total_time={seconds}", f"-seed={seed}"])


def _engine(target: str, options: Sequence[str]) -> Run:
    faults = WORK / "faults"
    faults.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_len={MAX_LENGTH}", f"-timeout={INPUT_TIMEOUT}", f"-rss_limit_mb={MAX_MEMORY}"]
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tools.fuzz.engine", target, *options, *limits),
            *(f"-artifact_prefix={faults}/{target}-", "-print_final_stats=1"),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    return Run(target, ended.returncode, ended.stdout + ended.stderr)


def _report(runs: Iterator[Run]) -> bool:
    """Print each run as it ends, with the output of those that failed. Return whether any did."""
    print(f"{'target':18}{'inputs':>11}{'branches':>10}{'after':>8}", flush=True)
    failed = False
    for each in runs:
        print(each, flush=True)
        if each.status:
            failed = True
            print("\n".join(line for line in each.output.splitlines() if not line.startswith(("INFO", "#"))))
    return failed


def main() -> int:
    """Run the targets. Return 1 if any property did not hold, else 0."""
    parser = argparse.ArgumentParser(prog="make fuzz ARGS=...", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="target", help=f"all by default: {' '.join(NAMES)}")
    parser.add_argument("--seconds", type=int, default=60, help="time for each target (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the changes at random; the same in CI (default: any)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time (default: one a core)")
    parser.add_argument("--input", type=Path, help="run the targets on this input only")
    options = parser.parse_args()
    targets = options.targets or NAMES
    if unknown := set(targets) - set(NAMES):
        parser.error(f"unknown: {' '.join(sorted(unknown))}; the targets are {' '.join(NAMES)}")
    with ThreadPoolExecutor(options.jobs) as pool:
        if options.input:
            return int(_report(pool.map(lambda target: _engine(target, [str(options.input)]), targets)))
        return int(_report(pool.map(lambda target: run(target, options.seconds, options.seed), targets)))


if __name__ == "__main__":
    sys.exit(main())
