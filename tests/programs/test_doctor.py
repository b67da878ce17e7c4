"""`secondhand doctor` tells who goes through the cache, and what helps who does not."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.proxy_process import COMMANDS, PATIENCE, environment
from tests.programs.programs import program
from tests.programs.running import TRUST


def doctor(home: Path, **variables: str) -> dict[str, dict[str, object]]:
    """Return what is found, by program."""
    done = subprocess.run(
        [COMMANDS / "secondhand", "doctor", "--json"],
        env=environment(home, f"SECONDHAND_|XDG_|{TRUST}") | variables,
        capture_output=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return {finding["name"]: finding for finding in json.loads(done.stdout)["programs"]}


def test_a_healthy_program_is_well_and_a_deaf_one_is_told_what_to_do(tmp_path: Path) -> None:
    program("curl")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "git").write_text("#!/bin/sh\necho I hear nothing; exit 3\n")
    (bin_folder / "git").chmod(0o755)

    found = doctor(tmp_path, PATH=f"{bin_folder}:/usr/bin:/bin")

    assert found["curl"] == {"name": "curl", "reaches": True, "trusts": True, "takes": True, "said": "", "mend": ""}
    assert not found["git"]["reaches"]
    assert found["git"]["mend"] == "git config --global http.proxy http://127.0.0.1:8080"
    assert found["git"]["said"] == "I hear nothing"


@pytest.mark.parametrize("name", ["pip", "npm", "git", "java"])
def test_what_is_installed_here_is_well(doctors_findings: dict[str, dict[str, object]], name: str) -> None:
    program(name)
    assert doctors_findings[name]["mend"] == ""


@pytest.fixture(scope="module")
def doctors_findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    return doctor(tmp_path_factory.mktemp("home"), PATH=os.environ["PATH"])
