"""The errors that people may run into: the message that each of them is, and the exit code of the program."""

from __future__ import annotations

import errno

from addon.config.errors import ConfigError
from addon.recordings.library import InvalidNameError, RecordingNotFoundError
from addon.runtime.control_client import ControlError
from addon.runtime.exit_codes import FAILED, NOT_FOUND, WRONG_USAGE
from cache.stores.base import StoreError


def message_and_exit_code(error: Exception) -> tuple[str, int] | None:
    """Return the message and the exit code for an error that is expected, or None for any other one."""
    match error:
        case ConfigError() | InvalidNameError():
            return str(error), WRONG_USAGE
        case RecordingNotFoundError():
            return str(error), NOT_FOUND
        case StoreError() | ControlError():
            return str(error), FAILED
        case OSError() if error.errno == errno.EPIPE:  # `secondhand ls | head`: typer ends the process quietly
            return None
        case OSError():
            problem = error.strerror or str(error)
            return f"{error.filename}: {problem}" if error.filename else problem, FAILED
    return None
