"""Runs a tool to get its own configuration."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from addon.offline.wanted import SourceError

OUTPUT_TIMEOUT = 60.0
"""Seconds that a tool may take to print its configuration."""


async def output_of(
    command: Sequence[str], folder: Path | None = None, environ: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the output of a command, run in a folder whose settings it reads.

    Raises:
        SourceError: it cannot be run, fails, or takes too long.
    """
    shown = " ".join(command)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env={**os.environ, **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise SourceError(f"{shown}: cannot be run: {error.strerror or error}") from None
    try:
        output, _ = await asyncio.wait_for(process.communicate(), OUTPUT_TIMEOUT)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise SourceError(f"{shown}: did not end within {OUTPUT_TIMEOUT:g} seconds") from None
    if process.returncode:
        raise SourceError(f"{shown}: ended with exit code {process.returncode}")
    return output.decode(errors="replace").strip()


async def json_of(command: Sequence[str], folder: Path) -> dict[str, object]:
    """Return the JSON object that a command prints, run in a folder. Raises SourceError."""
    try:
        found = json.loads(await output_of(command, folder))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SourceError(f"{' '.join(command)}: expected a JSON object")
    return found
