"""Which check runs which lines."""

from __future__ import annotations

import sys
from types import CodeType

from tools.mutation.checks import ROOT, Check

Lines = dict[str, set[int]]
"""Line numbers by module."""

_TOOL = 4  # none of those that debuggers and profilers take


def covered(checks: list[Check]) -> list[Lines]:
    """Run every check once, and return the lines of `cache/` that each has run. Raises what a check raises."""
    monitoring, seen = sys.monitoring, dict[str, set[int]]()
    prefix = str(ROOT / "cache")

    def note(code: CodeType, line: int) -> object:
        if code.co_filename.startswith(prefix):
            seen.setdefault(code.co_filename, set()).add(line)
        return monitoring.DISABLE

    monitoring.use_tool_id(_TOOL, "mutation")
    monitoring.register_callback(_TOOL, monitoring.events.LINE, note)
    monitoring.set_events(_TOOL, monitoring.events.LINE)
    found = []
    try:
        for check in checks:
            seen.clear()
            _forget_results()
            monitoring.restart_events()
            check.run()
            found.append({module_of(file): set(lines) for file, lines in seen.items()})
    finally:
        monitoring.set_events(_TOOL, 0)
        monitoring.free_tool_id(_TOOL)
    return found


def _forget_results() -> None:
    """Empty what functions of `cache/` remember, so that whoever needs a line runs it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("cache."):
            for each in vars(module).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()


def module_of(file: str) -> str:
    """Return the dotted name of the module in a file, given by its absolute path."""
    return file.removeprefix(f"{ROOT}/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
