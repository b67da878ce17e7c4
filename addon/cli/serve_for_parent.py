"""The main program of a private proxy: `secondhand serve` in a process that ends when its standard input ends.

The parent process holds the other end of that pipe. So the proxy also ends when the parent is killed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from addon.cli import app


def main() -> None:
    """Serve with the settings of the environment until standard input ends; the argument is a socket to listen on."""
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    passed = [f"--listen-on={descriptor}" for descriptor in sys.argv[1:]]
    app(["serve", "--for-one-command", *passed], prog_name="secondhand")


def _stop_at_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
