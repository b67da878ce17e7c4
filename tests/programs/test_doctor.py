"""`secondhand doctor` reports which programs use the proxy, and a command that repairs the others."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.environment import TRUST_VARIABLES, environment
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT
from tests.programs.installed_programs import program


def doctor(home: Path, **variables: str) -> dict[str, dict[str, object]]:
    """Return the findings by name of the program."""
    done = subprocess.run(
        [COMMANDS / "secondhand", "doctor", "--json"],
        env=environment(home, TRUST_VARIABLES) | variables,
        capture_output=True,
        timeout=2 * TIMEOUT,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return {finding["name"]: finding for finding in json.loads(done.stdout)["programs"]}


def test_a_program_that_ignores_the_proxy_gets_a_command_that_repairs_it(tmp_path: Path) -> None:
    program("curl")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "git").write_text("#!/bin/sh\necho I use no proxy; exit 3\n")
    (bin_folder / "git").chmod(0o755)

    found = doctor(tmp_path, PATH=f"{bin_folder}:/usr/bin:/bin")

    assert found["curl"] == {"name": "curl", "reaches": True, "trusts": True, "takes": True, "said": "", "mend": ""}
    assert not found["git"]["reaches"]
    assert found["git"]["mend"] == "git config --global http.proxy http://127.0.0.1:8080"
    assert found["git"]["said"] == "I use no proxy"


@pytest.mark.parametrize("name", ["pip", "npm", "git", "java", "wget", "aria2", "lftp", "PHP"])
def test_an_installed_program_needs_no_repair(findings: dict[str, dict[str, object]], name: str) -> None:
    program({"aria2": "aria2c", "PHP": "php"}.get(name, name))
    assert findings[name]["mend"] == ""


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    return doctor(tmp_path_factory.mktemp("home"), PATH=os.environ["PATH"])
