"""The exit codes of the program. docs/operation.md lists them for users."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FAILED = 1
"""A command failed, or the proxy cannot run."""

WRONG_USAGE = 2
"""The command line or the settings are invalid."""

NOT_FOUND = 3
"""Something that was named does not exist."""

NETWORK_NEEDED_OFFLINE = 120
"""`run --ci --offline`: a request needed the network."""

STALE_USED = 121
"""`run --ci`: a stale copy was used."""

TOO_MANY_MISSES = 122
"""`run --ci`: there were more misses than `--max-misses` allows."""

COMMAND_NOT_EXECUTABLE = 126
"""`run`: its command cannot be run; shells have the same code."""

COMMAND_NOT_FOUND = 127
"""`run`: its command does not exist; shells have the same code."""

INTERRUPTED = 130
"""Ctrl-C: 128 and the number of SIGINT, as in shells."""

OF_ALL_COMMANDS: Mapping[int, str] = MappingProxyType(
    {
        0: "done",
        FAILED: "failed",
        WRONG_USAGE: "wrong usage or settings",
        NOT_FOUND: "not found",
        INTERRUPTED: "interrupted",
    }
)
"""The exit codes that any command may have, and their meanings. `secondhand run` passes on that of its command."""
