"""The start of the program: our packages are found, whatever PYTHONPATH and the working directory hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.environment import environment
from tests.fixtures.proxy_process import COMMANDS, TIMEOUT, Proxy

NAMES = ("addon.py", "cache.py", "addon/__init__.py", "cache/__init__.py")


@pytest.fixture(params=NAMES)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return the folder of a project that has a module of the same name as one of our packages."""
    module = tmp_path / "project" / request.param
    module.parent.mkdir(parents=True)
    module.write_text('NAME = "the module of the project"\n')
    return tmp_path / "project"


def output_of(command: list[str | Path], project: Path, **variables: str) -> str:
    """Return what a command prints that is run in a project."""
    done = subprocess.run(
        command,
        env=environment(project.parent) | variables,
        cwd=project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("search_path", ["project", "project:", ":", ""])
def test_commands_use_our_packages(project: Path, search_path: str) -> None:
    variables = {"PYTHONPATH": search_path.replace("project", str(project))}
    assert "secondhand " in output_of([COMMANDS / "secondhand", "version"], project, **variables)
    as_module: list[str | Path] = [sys.executable, "-m", "secondhand", "config", "show"]
    assert "listen = " in output_of(as_module, project, **variables)


def test_a_library_of_the_project_takes_no_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "pydantic.py").write_text("raise ImportError")
    assert "listen = " in output_of([COMMANDS / "secondhand", "config", "show"], tmp_path, PYTHONPATH=str(tmp_path))


def test_a_proxy_uses_our_packages(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(project))
    with Proxy(tmp_path, settings={"WORKERS": "2"}) as proxy:
        assert proxy.run("status")
        proxy.stop()


def test_a_command_that_is_run_uses_the_modules_of_its_project(project: Path) -> None:
    name = next(project.iterdir()).stem
    script = f"import {name}; print({name}.NAME)"
    command: list[str | Path] = [COMMANDS / "secondhand", "run", "--", sys.executable, "-c", script]
    assert output_of(command, project, PYTHONPATH=str(project)) == "the module of the project\n"


def test_mitmproxy_loads_our_addon(project: Path) -> None:
    addon = output_of([COMMANDS / "secondhand", "addon"], project).strip()
    script = f"from mitmproxy.addons.script import load_script; print(load_script({addon!r}).addons)"
    assert "Embedded" in output_of([sys.executable, "-c", script], project, PYTHONPATH=str(project))


def test_without_a_working_directory_commands_work(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd gone && rmdir ../gone && exec "$0" version'
    output_of(["sh", "-c", script, COMMANDS / "secondhand"], tmp_path)


@pytest.mark.parametrize("command", ["--help", "stats", "config show", "run -- true"])
@pytest.mark.parametrize("redirection", [">&-", "<&-", "2>&-", ">/dev/full", "| head -c 1", "<&- >&- 2>&-"])
def test_standard_streams_may_be_closed_or_full(command: str, redirection: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" {command} {redirection}', COMMANDS / "secondhand"],
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert "full" in redirection or done.returncode == 0, done.stderr
