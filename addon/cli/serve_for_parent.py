"""`secondhand serve` in a process that ends when its standard input does: whoever started it cannot leave it behind."""

from __future__ import annotations

import os
import signal
import sys
import threading

from addon.cli import app


def main() -> None:
    """Serve by the environment's settings until standard input ends."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()
    app(["serve", "--for-one-command"], prog_name="secondhand")


def _wait_for_the_end() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
