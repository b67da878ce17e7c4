"""What a tool's own configuration says, asked of the tool itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from types import MappingProxyType

from addon.offline.wanted import SourceError

PATIENCE = 60.0
"""Seconds that a tool may take to print its configuration."""


async def said_by(*command: str, environ: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return what a command prints. Raises SourceError where it is not there, fails, or takes too long."""
    shown = " ".join(command)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise SourceError(f"{shown}: cannot be run: {error.strerror or error}") from None
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise SourceError(f"{shown}: said nothing for {PATIENCE:g} seconds") from None
    if process.returncode:
        raise SourceError(f"{shown}: ended with exit code {process.returncode}")
    return printed.decode(errors="replace").strip()
