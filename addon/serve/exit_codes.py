"""The exit codes of `secondhand serve`, and of its workers."""

from __future__ import annotations

FAILED = 1
"""The proxy cannot run."""

MISCONFIGURED = 2
"""The settings are invalid."""

NOT_FOUND = 3
"""Something that was named does not exist."""
