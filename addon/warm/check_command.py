"""The control command `check-lock-file`: what of a lock file is missing in the store of a running proxy."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from addon.offline.wanted import Missing
from addon.pipeline.active_pipeline import ActivePipeline
from addon.runtime.control import Handler
from addon.warm.lock_file_process import found_in_process
from addon.warm.run import Progress, WarmReport, warm
from addon.warm.transport import StoredTransport, WarmFetcher

MAX_CONTENT = 16_777_216
"""Bytes of the largest lock file."""

MAX_LISTED = 1000
"""Missing items that are listed; all of them are counted."""

TIMEOUT = 55.0
"""Seconds after which a check is given up."""

JOBS = 8
"""The number of URLs that are looked for at the same time."""


def lock_file_handler(active: ActivePipeline) -> Handler:
    """Return the handler of the command, for the proxy's own store.

    It finds what `secondhand warm --check` does. It raises ValueError for invalid arguments, and while another file is
    being checked: that takes much memory.
    """
    turn = asyncio.Lock()

    async def handle(arguments: Mapping[str, object]) -> dict[str, object]:
        match dict(arguments):
            case {"name": str(name), "content": str(content), **others} if not others:
                pass
            case _:
                raise ValueError('expected "name" and "content"')
        if turn.locked():
            raise ValueError("another lock file is being checked: try again in a moment")
        async with turn:
            try:
                async with asyncio.timeout(TIMEOUT):
                    report = await _checked(active, name, content)
            except TimeoutError:
                raise ValueError(f"the check has not ended within {TIMEOUT:g} seconds") from None
        missing = [asdict(each) for each in report.failed[:MAX_LISTED]]
        return {
            "name": name,
            "is_readable": not report.unreadable,
            "stored": report.fetched + report.already_fresh,
            "missing": len(report.failed),
            "first_missing": missing,
        }

    return handle


async def _checked(active: ActivePipeline, name: str, content: str) -> WarmReport:
    """Return the report about a lock file, in which it has its own name. Raises ValueError."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f'expected the name of a file, found "{name}"')
    fetcher = WarmFetcher(StoredTransport(active.own), JOBS)
    try:
        with tempfile.TemporaryDirectory(prefix="secondhand-") as folder:
            file = Path(folder) / name
            await asyncio.to_thread(file.write_bytes, content.encode())
            report = await warm([partial(found_in_process, file)], fetcher, Progress())
    except OSError as error:
        raise ValueError(f"the lock file cannot be copied for its reader: {error.strerror}") from error
    report.failed = [_named(each, folder) for each in report.failed]
    return report


def _named(missing: Missing, folder: str) -> Missing:
    """Return a missing item whose texts do not name the folder of the copy."""
    return replace(missing, name=missing.name.replace(f"{folder}/", ""), why=missing.why.replace(f"{folder}/", ""))
