"""The interface of trust stores, in which programs look for CAs, and how to run the tools that change them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Protocol

NICKNAME = "secondhand"

TOOL_TIMEOUT = 60.0
"""Seconds that a system tool may take."""


class TrustError(Exception):
    """A trust store cannot be read or changed. The text says why, and what to do."""


class TrustStore(Protocol):
    """One trust store."""

    @property
    def name(self) -> str:
        """The name that people see."""

    def holds(self, pem: bytes) -> bool:
        """Return whether the certificate is in the store. Raises TrustError."""

    def install(self, pem: bytes) -> None:
        """Add the certificate, in place of an earlier one of this program. Raises TrustError."""

    def uninstall(self) -> None:
        """Remove this program's certificate, if there is one. Raises TrustError."""


def run_tool(command: Sequence[str], content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a system tool and return its result. Raises TrustError if it cannot be run, or takes too long."""
    try:
        return subprocess.run(command, input=content, capture_output=True, timeout=TOOL_TIMEOUT, check=False)  # noqa: S603 - our own command lines
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TrustError(f"{command[0]}: {error}") from None


def check_tool(command: Sequence[str], content: bytes = b"") -> None:
    """Run a system tool. Raises TrustError if it fails."""
    done = run_tool(command, content)
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip()
        raise TrustError(f"{command[0]} ended with exit code {done.returncode}: {message}")
