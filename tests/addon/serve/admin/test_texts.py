"""The kinds of text among the arguments of the admin API."""

from __future__ import annotations

import subprocess
import sys


def test_the_readers_of_lock_files_are_not_imported_for_their_names() -> None:
    code = (
        "import sys, addon.serve.admin.texts\n"
        "print([name for name in sys.modules if name.startswith('addon.warm.lockfiles.')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout == "['addon.warm.lockfiles.lock_file', 'addon.warm.lockfiles.formats']\n"
