"""What notices that a rule is broken: every conversation in the lane of the engine alone, and the tests of `cache/`."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).parents[2]
OURS = ("cache", "addon", "tests")
APART = ("tools.mutation", "tests.rfc", "tests.lanes.script")
"""What does not depend on what is tested: conversations are what somebody says."""

EXAMPLES = 10
"""Of each property: what breaks a rule is found with few, or by a conversation."""


@dataclass(frozen=True)
class Check:
    """Something that raises if a rule is broken."""

    name: str
    run: Callable[[], object]


def checks(need: int = sys.maxsize) -> list[Check]:
    """Import what is tested, and return all checks, always in the same order; at least up to the number in `need`."""
    play = importlib.import_module("tests.lanes.play")
    play.PATIENCE = 0.2  # what does not happen at once in this lane never does
    conversations = list(_conversations())
    return [*conversations, *(_tests() if need >= len(conversations) else ())]


def _conversations() -> Iterator[Check]:
    conversations = importlib.import_module("tests.rfc.every").CONVERSATIONS
    limit = importlib.import_module("tests.lanes.limits").limit
    play = importlib.import_module("tests.lanes.play").play
    lane = importlib.import_module("tests.lanes.engine_lane").EngineLane()
    for each in conversations:
        if not limit(each, "engine"):
            yield Check(each.title, lambda each=each: asyncio.run(play(each, lane)))


def _tests() -> Iterator[Check]:
    importlib.import_module("tests.fixtures.strategies").unhurried = settings(
        deadline=None, max_examples=EXAMPLES, derandomize=True, database=None
    )
    for path in sorted((ROOT / "tests" / "cache").rglob("test_*.py")):
        if path.is_relative_to(ROOT / "tests" / "cache" / "stores"):
            continue
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, test in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_"):
                yield from (Check(f"{path.stem}.{name}", lambda t=test, a=a: t(**a)) for a in _arguments(test))


def _arguments(test: Callable[..., object]) -> Iterator[dict[str, object]]:
    """Iterate over the arguments that `parametrize` gives a test."""
    axes = []
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names, rows = mark.args
            names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
            axes.append([dict(zip(names, row if len(names) > 1 else [row], strict=True)) for row in rows])
    for combination in itertools.product(*axes):
        yield {name: value for part in combination for name, value in part.items()}


def forget() -> None:
    """Make the next import of what is ours a new one."""
    for name in [name for name in sys.modules if name.startswith(OURS) and not name.startswith(APART)]:
        del sys.modules[name]
