"""The program `secondhand`: it finds our packages before others of the same names, and runs the command line.

Our packages are named `addon` and `cache`. Other projects may have modules with these names, too, and PYTHONPATH or the
working directory may come before us. So the program starts in this module, whose name is ours alone. Run it by this
file's path to start a further process of ours: then nothing can take its place.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module


def main() -> None:
    """Run the command line and end the process."""
    _open_standard_streams()
    _search_users_folders_last()
    _import_our_packages()
    match sys.argv[1:]:
        case ["serve-for-parent", options]:  # not a command for people: no command line is needed
            gc.disable()  # there is no garbage in what is imported; it is enabled when the proxy listens
            # the search for plugins reads about all installed packages: a tenth of the time until the proxy listens
            os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
            from addon.serve.for_parent import main as serve_for_parent

            sys.exit(serve_for_parent(options))
        case ["serve", *_]:  # signals are caught before the imports that take long
            from addon.runtime.signals import operator_signals

            operator_signals.catch()
    from addon.cli import main as run_command_line

    run_command_line()


def _open_standard_streams() -> None:
    """Replace closed standard streams: else a file of the store that is opened next would be one of them."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _search_users_folders_last() -> None:
    """Search PYTHONPATH and the working directory after all that is installed. Children still inherit PYTHONPATH."""
    named = [*os.environ.get("PYTHONPATH", "").split(os.pathsep), ""]
    try:
        users = {os.path.abspath(folder) for folder in named}  # noqa: PTH100 - pathlib might still be another project's
    except FileNotFoundError:  # the working directory was deleted
        users = set(named)
    sys.path.sort(key=lambda entry: entry in users or not entry)  # a stable sort


def _import_our_packages() -> None:
    """Import the packages from the folder of this file. Their modules are found in the packages from then on."""
    from pathlib import Path  # not before the search path is set: it might be another project's

    folder = str(Path(__file__).absolute().parent)
    sys.path.insert(0, folder)
    for package in ("addon", "cache"):
        import_module(package)
    sys.path.remove(folder)


if __name__ == "__main__":
    main()
