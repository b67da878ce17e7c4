"""Leaving the network where the system has no namespaces; tests/programs/test_namespace.py has the rest."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import os
from addon.programs.run.namespace import IsolatedNetwork, NoNamespace, leave_the_network
del os.unshare
for leave in (leave_the_network, IsolatedNetwork.make):
    try:
        leave()
    except NoNamespace as error:
        print("unshare" in str(error))
"""


def test_another_system_is_said_to_have_none() -> None:
    # in a process of its own: it forks, which must not happen beside threads
    assert (
        subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True).stdout == "True\n" * 2
    )
