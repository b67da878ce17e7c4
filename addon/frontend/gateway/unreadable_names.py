"""Server names in TLS that are no text: Python refuses them itself, and would print a traceback for each."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

logger = logging.getLogger(__name__)


def log_unreadable_names() -> None:
    """Log such a name in one line from now on, for this whole process. May be called again."""
    sys.unraisablehook = _log


def _log(problem: UnraisableHookArgs) -> None:
    if isinstance(problem.exc_value, UnicodeDecodeError) and isinstance(problem.object, bytes):
        logger.info("a client failed at TLS: its server name is no text")
    else:
        sys.__unraisablehook__(problem)
