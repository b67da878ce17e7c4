"""`make mutation`: breaks each rule of `cache/` in every small way, and counts how often the tests notice.

`--sample 200` tries that many, always the same ones; `--module freshness` those of one file.
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

ENOUGH = 85
"""Per cent of the mutants that must be noticed."""

FIGURE = Path(__file__).with_name("figure.toml")
"""What the last whole run came to; docs/conformance.md tells it."""

PATIENCE = 30
"""Seconds after which a mutant runs in a circle, which is as good as noticed."""

NOTHING_TO_BREAK = ("cache.policy.reasons", "cache.policy.reason_texts")
"""Names and sentences."""

FILES = {
    module_of(str(path)): path
    for path in sorted((ROOT / "cache").rglob("*.py"))
    if not path.is_relative_to(ROOT / "cache" / "stores")
}
"""The rules: every module of `cache/` outside of `cache/stores/`."""


class _Changed(MetaPathFinder, Loader):
    """Imports one module from another source than its file."""

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
    """Print the mutants that no check notices, and return their numbers; each is tried in a process of its own."""
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
                unseen = "" if orders[tried] else " (no check runs it)"
                print(f"{every[tried]}{unseen}", flush=True)
        if number is not None:
            running[_begun(every[number], orders[number])] = number
    return found


def _begun(mutant: Mutant, order: list[int]) -> int:
    """Return the process that tries a mutant, and ends with 0 if it survives."""
    child = os.fork()
    if child == 0:
        gc.disable()  # it would copy the parent's memory
        signal.alarm(PATIENCE)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os._exit(0 if _passes(mutant, order) else 1)
    return child


def _passes(mutant: Mutant, order: list[int]) -> bool:
    try:
        forget()
        sys.meta_path.insert(0, _Changed(mutant))
        again = checks(need=max(order, default=0))
        for number in order:
            again[number].run()
    except BaseException:  # noqa: BLE001 - whatever it is, it was noticed
        return False
    return True


def _order(mutant: Mutant, lines: list[Lines], sources: Mapping[str, str]) -> list[int]:
    """Return the checks that run the changed line, or what depends on it; those that run little else first."""
    changed: Lines = {mutant.module: set(range(mutant.line, mutant.last_line + 1))}
    names = defined_at(sources[mutant.module], mutant.line) if mutant.at_import else set[str]()
    if names:
        changed = uses(names, sources)
    every = mutant.at_import and not names
    running = [number for number, run in enumerate(lines) if every or _meet(run, changed)]
    return sorted(running, key=lambda number: sum(map(len, lines[number].values())))


def _meet(run: Lines, changed: Lines) -> bool:
    return any(not numbers.isdisjoint(run.get(module, ())) for module, numbers in changed.items())


def main() -> int:
    """Try them all, and return 1 if too many were not noticed."""
    parser = argparse.ArgumentParser(prog="make mutation")
    parser.add_argument("--sample", type=int, default=0, help="try that many, always the same ones")
    parser.add_argument("--module", help="only those of one file of cache/")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    began = time.monotonic()
    names = [name for name in FILES if name not in NOTHING_TO_BREAK and options.module in (None, FILES[name].stem)]
    sources = {name: path.read_text() for name, path in FILES.items()}
    every = [each for name in names for each in mutants(name, sources[name])]
    # in an order that tells early how it goes, and always the same one
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
    return int(share < ENOUGH)


if __name__ == "__main__":
    sys.exit(main())
