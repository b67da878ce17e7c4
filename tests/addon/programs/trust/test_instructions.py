"""The lines for people agree with what the commands `trust`, `env` and `run` do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from addon.programs.run.variables import variables
from addon.programs.trust.files import TrustFiles
from addon.programs.trust.instructions import LINUX, OTHER_SYSTEMS, PROGRAMS, Instruction
from addon.programs.trust.system import SYSTEM_STORES

ALL = (*LINUX, *OTHER_SYSTEMS, *PROGRAMS)


def test_every_system_that_trust_install_knows_has_lines_for_the_same_folder_and_tool() -> None:
    for store, instruction in zip(SYSTEM_STORES, LINUX, strict=True):
        copied, refreshed = instruction.filled("ca.pem")
        assert instruction.name
        assert copied == f"sudo cp ca.pem {store.folder}/secondhand{store.suffix}"
        assert refreshed == f"sudo {' '.join(store.refresh)}"


@pytest.mark.parametrize("instruction", PROGRAMS, ids=lambda each: each.name)
def test_every_variable_is_one_that_env_prints(instruction: Instruction) -> None:
    known = variables("http://127.0.0.1:8080", TrustFiles(Path("a"), Path("b"), Path("c")), {})
    assert {*re.findall(r"\b(\w+)=", " ".join(line for line in instruction.lines if "export" in line))} - {
        *known,
        "https",  # parts of the options for Java
    } <= {"proxyHost", "proxyPort"}


@pytest.mark.parametrize("instruction", ALL, ids=lambda each: each.name)
def test_lines_are_complete_for_any_proxy(instruction: Instruction) -> None:
    for host in ("127.0.0.1", "2001:db8::7", "cache.example"):
        for line in instruction.filled("ca.pem", host, 8080):
            assert not re.search(r"[{}]", line)
