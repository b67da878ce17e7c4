"""What every place does that programs look up certificate authorities in."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Protocol

NICKNAME = "secondhand"

PATIENCE = 60.0
"""Seconds that a tool of the system may take."""


class TrustError(Exception):
    """A store cannot be read or changed. The text says why, and what to do."""


class TrustStore(Protocol):
    """One place."""

    @property
    def name(self) -> str:
        """How people call it."""

    def holds(self, pem: bytes) -> bool:
        """Tell whether a certificate is in it. Raises TrustError."""

    def install(self, pem: bytes) -> None:
        """Put a certificate in, in place of the one that was put in before. Raises TrustError."""

    def uninstall(self) -> None:
        """Take out what was put in; harmless if that is nothing. Raises TrustError."""


def ask(*command: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Return what came of a tool of the system. Raises TrustError where it does not run at all."""
    try:
        return subprocess.run(command, input=content, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TrustError(f"{command[0]}: {error}") from None


def tell(command: Sequence[str], content: bytes = b"") -> None:
    """Have a tool of the system do something. Raises TrustError where it fails."""
    done = ask(*command, content=content)
    if done.returncode:
        raise TrustError(f"{command[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
