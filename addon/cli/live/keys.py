"""Single keys from a terminal, without waiting for Enter."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

_NAMES = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1bOA": "up",
    "\x1bOB": "down",
    "\r": "enter",
    "\n": "enter",
    "\x7f": "back",
    "\b": "back",
    "\x1b": "escape",
    "\x04": "q",
}


@contextmanager
def single_keys() -> Iterator[None]:
    """Have the terminal pass each key on at once, and show none of them."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def next_keys(seconds: float) -> list[str]:
    """Wait for keys, so many seconds at most. Return them: a character, or a name like `up`."""
    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    if not ready:
        return []
    read = os.read(sys.stdin.fileno(), 64).decode(errors="ignore")
    if not read:  # the terminal is gone
        return ["q"]
    return [_NAMES[read]] if read in _NAMES else [_NAMES.get(character, character) for character in read]
