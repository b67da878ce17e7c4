"""Runs the command as if nobody stood behind it: the same terminal, its own signals, its own exit code."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

NOT_EXECUTABLE, NOT_FOUND = 126, 127
"""Exit codes of shells for a command that cannot be run."""


class CannotRun(Exception):
    """The command cannot be run. The text says why; `exit_code` is what a shell would end with."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command; return its exit code, 128 and more where a signal ended it, as shells do. Raises CannotRun."""
    with _signals_are_the_commands() as started:
        try:
            process = subprocess.Popen(command, env=environ)  # noqa: S603 - it is the user's own
        except FileNotFoundError:
            raise CannotRun(f"{command[0]}: command not found", NOT_FOUND) from None
        except OSError as error:
            raise CannotRun(f"{command[0]}: {error.strerror}", NOT_EXECUTABLE) from None
        started.append(process)
        code = process.wait()
        return code if code >= 0 else 128 - code


@contextmanager
def _signals_are_the_commands() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Leave signals to the command, which the context's user puts into the list.

    What the terminal sends reaches it anyway, as it is in our process group; what is sent to us alone is passed on.
    """
    started: list[subprocess.Popen[bytes]] = []

    def ignore(_number: int, _frame: FrameType | None) -> None:
        pass  # a handler, unlike SIG_IGN, is not inherited by the command

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for process in started:
            process.send_signal(number)

    handlers = {signal.SIGINT: ignore, signal.SIGQUIT: ignore, signal.SIGTERM: pass_on, signal.SIGHUP: pass_on}
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        if before[number] is not signal.SIG_IGN:  # as under nohup: it stays so for the command too
            signal.signal(number, handler)
    try:
        yield started
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before or signal.SIG_DFL)
