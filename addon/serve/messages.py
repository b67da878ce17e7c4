"""Lines for people on standard output and standard error, from a proxy that starts."""

from __future__ import annotations

import sys


def print_line(text: str) -> None:
    """Print a line on standard output at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_error(text: str) -> None:
    """Print an error on standard error."""
    for line in text.splitlines():
        sys.stderr.write(f"secondhand: {line}\n")
