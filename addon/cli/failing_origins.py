"""The origins that failed when they were last asked, as `mode` and `status` print them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from addon.config.units import time_text


def failing_origins(modes: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield each of these origins and what went wrong, by a reply to the control command `mode`."""
    failing, unreachable = modes.get("failing"), modes["unreachable"]
    alone = list(map(str, unreachable)) if isinstance(unreachable, list) else []
    failures = failing if isinstance(failing, dict) else {}  # an older version of the program is running
    for origin in dict.fromkeys([*alone, *failures]):
        failure = failures.get(origin)
        told = [_text(failure)] if isinstance(failure, dict) else []
        yield origin, "; ".join(["does not answer, asked only once a second", *told] if origin in alone else told)


def _text(failure: Mapping[str, object]) -> str:
    ago = time_text(max(0.0, time.time() - float(str(failure["at"]))))
    return f"failed {ago} ago: {failure['sentence']}"
