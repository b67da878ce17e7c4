"""The checks that must notice a changed rule: conversations, run in the engine lane, and the tests of `cache/`."""

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
KEPT_MODULES = ("tools.mutation", "tests.rfc", "tests.lanes.script")
"""Modules that need not be imported again for a mutant: conversations, for example, are data."""

EXAMPLES = 10
"""Hypothesis examples for each property: so few are enough, since the conversations check the same rules."""


@dataclass(frozen=True)
class Check:
    """A conversation or a test: `run` raises an exception if a rule is broken."""

    name: str
    run: Callable[[], object]


def checks(need: int = sys.maxsize) -> list[Check]:
    """Import `cache/` and its tests, and return all checks in a fixed order, at least up to the number `need`."""
    runner = importlib.import_module("tests.lanes.conversation_runner")
    runner.TIMEOUT = 0.2  # seconds: in this lane everything happens at once, or never
    conversations = list(_conversations())
    return [*conversations, *(_tests() if need >= len(conversations) else ())]


def _conversations() -> Iterator[Check]:
    conversations = importlib.import_module("tests.rfc.all_conversations").CONVERSATIONS
    reason_unsupported = importlib.import_module("tests.lanes.unsupported").reason_unsupported
    run_conversation = importlib.import_module("tests.lanes.conversation_runner").run_conversation
    lane = importlib.import_module("tests.lanes.engine_lane").EngineLane()
    for each in conversations:
        if not reason_unsupported(each, "engine"):
            yield Check(each.title, lambda each=each: asyncio.run(run_conversation(each, lane)))


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
    """Iterate over the keyword arguments that `pytest.mark.parametrize` gives to a test."""
    axes = []
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names, rows = mark.args
            names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
            axes.append([dict(zip(names, row if len(names) > 1 else [row], strict=True)) for row in rows])
    for combination in itertools.product(*axes):
        yield {name: value for part in combination for name, value in part.items()}


def forget() -> None:
    """Remove our modules from `sys.modules`, so that the next import loads them again."""
    for name in [name for name in sys.modules if name.startswith(OURS) and not name.startswith(KEPT_MODULES)]:
        del sys.modules[name]
