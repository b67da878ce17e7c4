"""Runs the user's command as if it had been started directly: same terminal, signals and exit code."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from addon.runtime.exit_codes import COMMAND_NOT_EXECUTABLE, COMMAND_NOT_FOUND


class CannotRun(Exception):
    """The command cannot be run. The text says why; `exit_code` is the one that a shell would give."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def run(command: Sequence[str], environ: Mapping[str, str], prepare: Callable[[], None] | None = None) -> int:
    """Run a command and return its exit code, or 128 plus the number of the signal that ended it. Raises CannotRun.

    `prepare` is called in the process of the command before the command starts; this process must have no threads.
    """
    with _forwarded_signals() as started:
        try:
            process = subprocess.Popen(command, env=environ, preexec_fn=prepare)  # noqa: S603 - the user asks to run this command
        except FileNotFoundError:
            raise CannotRun(f"{command[0]}: command not found", COMMAND_NOT_FOUND) from None
        except OSError as error:
            raise CannotRun(f"{command[0]}: {error.strerror}", COMMAND_NOT_EXECUTABLE) from None
        except subprocess.SubprocessError as error:
            raise CannotRun(
                f"{command[0]}: its network namespace cannot be entered ({error})", COMMAND_NOT_EXECUTABLE
            ) from None
        started.append(process)
        code = process.wait()
        return code if code >= 0 else 128 - code


@contextmanager
def _forwarded_signals() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Leave all signals to the command while the context is open; the caller adds its process to the list.

    Signals from the terminal reach the command directly, as it is in our process group. Signals that are sent to this
    process only are passed on.
    """
    started: list[subprocess.Popen[bytes]] = []

    def ignore(_number: int, _frame: FrameType | None) -> None:
        pass  # the command would inherit SIG_IGN, but inherits no handler

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for process in started:
            process.send_signal(number)

    handlers = {signal.SIGINT: ignore, signal.SIGQUIT: ignore, signal.SIGTERM: pass_on, signal.SIGHUP: pass_on}
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        if before[number] is not signal.SIG_IGN:  # ignored already, as under nohup: the command ignores it, too
            signal.signal(number, handler)
    try:
        yield started
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before or signal.SIG_DFL)
