"""Mutation testing: change the rules of `cache/` one small step at a time, and count the changes that tests notice.

`--sample 200` tries 200 mutants, always the same ones; `--module freshness` tries those of one file.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from tools.mutation.checks import ROOT, checks, forget
from tools.mutation.coverage import Lines, covered, module_of
from tools.mutation.sites import Mutant, mutants
from tools.mutation.uses import defined_at, uses

MIN_PERCENTAGE = 85
"""Percentage of the mutants that the tests must notice."""

FIGURE = Path(__file__).with_name("figure.toml")
"""Result of the last complete run; docs/conformance.md shows it."""

TIMEOUT = 30
"""Seconds. A mutant that takes longer is in an endless loop, and counts as noticed."""

NOTHING_TO_BREAK = ("cache.policy.reasons", "cache.policy.reason_texts")
"""Modules that have names and texts, but no rules."""

FILES = {
    module_of(str(path)): path
    for path in sorted((ROOT / "cache").rglob("*.py"))
    if not path.is_relative_to(ROOT / "cache" / "stores")
}
"""The rules: every module of `cache/` outside of `cache/stores/`."""


class _MutantImporter(MetaPathFinder, Loader):
    """Imports the changed module from the mutant's source instead of its file."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self._mutant.module:
            return None
        spec = ModuleSpec(name, self, is_package=FILES[name].name == "__init__.py")
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(str(FILES[name].parent))
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.source, f"{self._mutant.module} ({self._mutant.what})", "exec"), vars(module))


def survivors(every: list[Mutant], orders: list[list[int]], jobs: int) -> set[int]:
    """Try each mutant in a process of its own, print those that no check notices, and return their numbers."""
    running, found, untried = dict[int, int](), set[int](), iter(range(len(every)))
    for number in itertools.chain(untried, itertools.repeat(None)):
        if number is None and not running:
            return found
        if number is None or len(running) == jobs:
            pid, code = os.wait()
            tried = running.pop(pid)
            if tried % 100 == 99:
                print(f"{tried + 1} of {len(every)} tried, {len(found)} not noticed", flush=True)
            if code == 0:
                found.add(tried)
                note = "" if orders[tried] else " (no check runs it)"
                print(f"{every[tried]}{note}", flush=True)
        if number is not None:
            running[_start(every[number], orders[number])] = number
    return found


def _start(mutant: Mutant, order: list[int]) -> int:
    """Start a process that tries a mutant, and return its id. Its exit code is 0 if no check notices the mutant."""
    child = os.fork()
    if child == 0:
        gc.disable()  # a collection would write to memory pages that are shared with the parent, and so copy them
        signal.alarm(TIMEOUT)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os._exit(0 if _passes(mutant, order) else 1)
    return child


def _passes(mutant: Mutant, order: list[int]) -> bool:
    """Import the mutant, run the checks with these numbers, and tell whether all of them pass."""
    try:
        forget()
        sys.meta_path.insert(0, _MutantImporter(mutant))
        imported = checks(need=max(order, default=0))
        for number in order:
            imported[number].run()
    except BaseException:  # noqa: BLE001 - every exception means that the mutant was noticed
        return False
    return True


def _order(mutant: Mutant, lines: list[Lines], sources: Mapping[str, str]) -> list[int]:
    """Return the numbers of the checks that run the changed lines or depend on them; those that run few lines first."""
    changed: Lines = {mutant.module: set(range(mutant.line, mutant.last_line + 1))}
    names = defined_at(sources[mutant.module], mutant.line) if mutant.at_import else set[str]()
    if names:
        changed = uses(names, sources)
    # a statement that is no assignment, for example a class: every check may depend on it
    all_checks = mutant.at_import and not names
    chosen = [number for number, run in enumerate(lines) if all_checks or _overlap(run, changed)]
    return sorted(chosen, key=lambda number: sum(map(len, lines[number].values())))


def _overlap(run: Lines, changed: Lines) -> bool:
    """Return whether a check has run any of the changed lines."""
    return any(not numbers.isdisjoint(run.get(module, ())) for module, numbers in changed.items())


def main() -> int:
    """Try the mutants. Return 1 if the tests notice too few of them, else 0."""
    parser = argparse.ArgumentParser(prog="make mutation ARGS=...", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="try only this many mutants, always the same ones")
    parser.add_argument("--module", help="try only the mutants of one module of cache/")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one for each core)")
    options = parser.parse_args()
    began = time.monotonic()
    names = [name for name in FILES if name not in NOTHING_TO_BREAK and options.module in (None, FILES[name].stem)]
    sources = {name: path.read_text() for name, path in FILES.items()}
    every = [each for name in names for each in mutants(name, sources[name])]
    # a random order, so that the first mutants are typical of all; always the same one
    random.Random(len(names)).shuffle(every)
    every = every[: options.sample or None]
    lines = covered(checks())
    orders = [_order(mutant, lines, sources) for mutant in every]
    unnoticed = survivors(every, orders, options.jobs)
    killed = len(every) - len(unnoticed)
    share = 100 * killed / max(1, len(every))
    print(f"{killed} of {len(every)} noticed: {share:.1f} %, in {time.monotonic() - began:.0f} s")
    if not (options.sample or options.module):
        FIGURE.write_text(f"# Written by `make mutation`.\nnoticed = {killed}\nof = {len(every)}\n")
    return int(share < MIN_PERCENTAGE)


if __name__ == "__main__":
    sys.exit(main())
