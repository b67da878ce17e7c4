"""The control command `fetch`: it makes a running proxy prefetch a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from addon.offline.prefetch import prefetch
from addon.offline.wanted import Digest, Wanted
from addon.pipeline.active_pipeline import ActivePipeline
from addon.runtime.control import Handler


def prefetch_handler(active: ActivePipeline) -> Handler:
    """Return the handler of the command. It raises ValueError for invalid arguments."""

    async def handle(arguments: Mapping[str, object]) -> dict[str, object]:
        wanted, read = _parse_arguments(arguments)
        return asdict(await prefetch(active.current, wanted, read=read))

    return handle


def arguments_for(wanted: Wanted, *, read: bool) -> dict[str, object]:
    """Return the arguments of the command. With `read`, its result includes the content."""
    return {**asdict(wanted), "read": read}


def _parse_arguments(arguments: Mapping[str, object]) -> tuple[Wanted, bool]:
    """Return the parameters that `arguments_for` was called with. Raises ValueError."""
    match dict(arguments):
        case {"uri": str(uri), "fields": list(fields), "digest": None | dict() as digest, "read": bool(read)}:
            lines = tuple((str(name), str(value)) for name, value in fields)
            return Wanted(uri, lines, Digest(str(digest["algorithm"]), str(digest["value"])) if digest else None), read
    raise ValueError('expected "uri", "fields", "digest" and "read"')
