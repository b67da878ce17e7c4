"""Line coverage of each check."""

from __future__ import annotations

import sys
from types import CodeType

from tools.mutation.checks import ROOT, Check

Lines = dict[str, set[int]]
"""Line numbers by module."""

_TOOL = 4  # of the ids 0 to 5 of sys.monitoring, one that no debugger or profiler uses


def covered(checks: list[Check]) -> list[Lines]:
    """Run every check once, and return the lines of `cache/` that each one ran. Raises what a check raises."""
    monitoring, lines_by_file = sys.monitoring, dict[str, set[int]]()
    prefix = str(ROOT / "cache")

    def on_line(code: CodeType, line: int) -> object:
        if code.co_filename.startswith(prefix):
            lines_by_file.setdefault(code.co_filename, set()).add(line)
        return monitoring.DISABLE  # one event for each line is enough

    monitoring.use_tool_id(_TOOL, "mutation")
    monitoring.register_callback(_TOOL, monitoring.events.LINE, on_line)
    monitoring.set_events(_TOOL, monitoring.events.LINE)
    coverage = []
    try:
        for check in checks:
            lines_by_file.clear()
            _clear_caches()
            monitoring.restart_events()
            check.run()
            coverage.append({module_of(file): set(lines) for file, lines in lines_by_file.items()})
    finally:
        monitoring.set_events(_TOOL, 0)
        monitoring.free_tool_id(_TOOL)
    return coverage


def _clear_caches() -> None:
    """Empty the `functools` caches in `cache/`, so that each check runs all lines that it depends on."""
    for name, module in list(sys.modules.items()):
        if name.startswith("cache."):
            for each in vars(module).values():
                if hasattr(each, "cache_clear"):
                    each.cache_clear()


def module_of(file: str) -> str:
    """Return the dotted name of the module in a file, given by its absolute path."""
    return file.removeprefix(f"{ROOT}/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
