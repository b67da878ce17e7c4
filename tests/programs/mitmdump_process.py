"""Starts mitmdump in a process of its own that need not import mitmproxy, which takes most of the time of a short run.

Each process is forked from one that has imported it. What is imported beforehand changes nothing in mitmproxy: of this
cache, only parts that do not know mitmproxy's flows.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

IMPORTED = ("mitmproxy.tools.main", "mitmproxy.tools.dump", "addon.service")
"""Modules that are imported once for all processes."""


def start_mitmdump(arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> ForkServerProcess:
    """Start mitmdump with arguments and an environment. Standard output and standard error go to the file `output`."""
    output.write_bytes(b"")  # what an earlier process wrote must not be taken for what this one writes
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(IMPORTED))
    process = context.Process(target=_mitmdump, args=(list(arguments), dict(environment), output), daemon=True)
    process.start()
    return process


def _mitmdump(arguments: list[str], environment: dict[str, str], output: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, file, flags in ((0, os.devnull, os.O_RDONLY), (1, output, os.O_WRONLY)):
        opened = os.open(file, flags)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.dup2(1, 2)
    from mitmproxy.tools.main import mitmdump

    sys.exit(mitmdump(arguments))
