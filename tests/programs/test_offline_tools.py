"""Package tools with `secondhand run`: first with their configured registries, then without any network."""

from __future__ import annotations

import json
import os
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha512
from pathlib import Path

import pytest

from tests.fixtures.pages import page
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import program
from tests.programs.offline_rerun import files_in_both
from tests.programs.registries.archives import tar_gz
from tests.programs.secondhand_run import Runner, RunResult, without_network
from tests.programs.test_pip import configured_index

IS_NUMBER_INTEGRITY = "sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng=="
"""The integrity value of is-number 7.0.0 in lock files."""


def run_twice(runner: Runner, commands: Sequence[tuple[str, ...]], **variables: str) -> tuple[RunResult, RunResult]:
    """Run the first command with a network, and the second one offline without a network. Return both results.

    Skip the test if the first command cannot reach a registry.
    """
    first = runner("--", *commands[0], **variables)
    if first.code:
        pytest.skip(f"no registry can be reached: {first.errors}")
    second = runner("--offline", "--", *commands[1], wrapper=without_network(), **variables)
    assert second.code == 0, second.errors
    assert second.count("fetched") == 0
    assert second.count("from copies") == second.count("request") > 0
    return first, second


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_pip(runner: Runner) -> None:
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-cache-dir", "--no-deps")
    commands = [(*pip, "--only-binary", ":all:", "--dest", folder, "iniconfig") for folder in ("first", "second")]

    first, second = run_twice(runner, commands, PIP_CONFIG_FILE=os.devnull, **configured_index())

    assert files_in_both(runner, "*") != {}
    assert second.count("from copies") == first.count("requests")


def test_npm(runner: Runner) -> None:
    locked = {"version": "7.0.0", "integrity": IS_NUMBER_INTEGRITY}
    project = {"name": "a", "version": "1.0.0", "dependencies": {"is-number": "7.0.0"}}
    lock = {"lockfileVersion": 3, "packages": {"": project, "node_modules/is-number": locked}}
    for name in ("first", "second"):
        (runner.folder / name).mkdir()
        (runner.folder / name / "package.json").write_text(json.dumps(project))
        (runner.folder / name / "package-lock.json").write_text(json.dumps(lock))

    def install(name: str) -> tuple[str, ...]:
        options = "--no-audit", "--no-fund", "--no-update-notifier"
        return (program("npm"), "ci", *options, "--prefix", name, "--cache", f"{name}-cache")

    run_twice(runner, [install("first"), install("second")])

    installed = files_in_both(runner, "node_modules/**/*")
    assert "node_modules/is-number/package.json" in installed


def test_apt(runner: Runner) -> None:
    apt = program("apt-get")
    commands = []
    for name in ("first", "second"):
        (runner.folder / name).mkdir()
        commands.append(("sh", "-c", f"cd {name} && {apt} download hello"))

    run_twice(runner, commands)

    assert files_in_both(runner, "*") != {}


def test_npm_installs_a_package_that_was_only_warmed(
    tmp_path: Path, ca: ThrowawayCA, stoppable_registry: Registry
) -> None:
    npm = program("npm")
    runner = Runner(tmp_path, ca.file)
    (tmp_path / "package.json").write_text(json.dumps(stoppable_registry.project))
    (tmp_path / "package-lock.json").write_text(json.dumps(stoppable_registry.lock))
    registry = {"npm_config_registry": f"{stoppable_registry.url}/"}

    warmed = runner.secondhand("warm", "--private", "package-lock.json", **registry)
    stoppable_registry.origin.stop()
    ran = runner(
        *("--offline", "--proxy-localhost", "--", npm, "ci", "--no-audit", "--no-update-notifier", "--cache", "empty"),
        wrapper=without_network(),
        **registry,
    )

    assert warmed.code == 0, warmed.output + warmed.errors
    assert warmed.output.splitlines()[-1].startswith("1 fetched")
    assert (ran.code, ran.count("from copies"), ran.count("fetched")) == (0, 1, 0), ran.errors
    assert (tmp_path / "node_modules" / "specimen" / "index.js").read_bytes() == b"42\n"


@dataclass(frozen=True)
class Registry:
    """A registry with one package, and a project that needs it."""

    origin: Origin
    url: str
    project: Mapping[str, object]
    lock: Mapping[str, object]


@pytest.fixture(params=["http", "https"])
def stoppable_registry(request: pytest.FixtureRequest, ca: ThrowawayCA) -> Iterator[Registry]:
    with Origin(ca.server_context("localhost") if request.param == "https" else None) as origin:
        tarball = tar_gz(
            {"package/package.json": '{"name": "specimen", "version": "1.0.0"}', "package/index.js": "42\n"}
        )
        url = origin.offer("/npm/specimen/-/specimen-1.0.0.tgz", page(tarball))
        project = {"name": "a", "version": "1.0.0", "dependencies": {"specimen": "1.0.0"}}
        integrity = f"sha512-{b64encode(sha512(tarball).digest()).decode()}"
        specimen = {"version": "1.0.0", "resolved": url, "integrity": integrity}
        packages = {"": project, "node_modules/specimen": specimen}
        lock = {"name": "a", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
        yield Registry(origin, url.partition("/specimen/")[0], project, lock)
