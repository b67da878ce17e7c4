"""Package tools by `secondhand run`, first with the registries they are configured for, then without any network."""

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
from tests.fixtures.throwaway_ca import Authority
from tests.fixtures.web_origin import Origin
from tests.programs.again import left_by_both
from tests.programs.programs import program
from tests.programs.registries.archives import tar_gz
from tests.programs.running import Ran, Runner, without_a_route
from tests.programs.test_pip import configured_index

IS_NUMBER = "sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng=="
"""What a lock file says of that package."""


def twice(runner: Runner, commands: Sequence[tuple[str, ...]], **variables: str) -> tuple[Ran, Ran]:
    """Run the first command with a network, and the second offline where there is no route; return what came of both.

    Skips where the first finds no registry.
    """
    first = runner("--", *commands[0], **variables)
    if first.code:
        pytest.skip(f"no registry is in reach: {first.errors}")
    second = runner("--offline", "--", *commands[1], around=without_a_route(), **variables)
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

    first, second = twice(runner, commands, PIP_CONFIG_FILE=os.devnull, **configured_index())

    assert left_by_both(runner, "*") != {}
    assert second.count("from copies") == first.count("requests")


def test_npm(runner: Runner) -> None:
    locked = {"version": "7.0.0", "integrity": IS_NUMBER}
    project = {"name": "a", "version": "1.0.0", "dependencies": {"is-number": "7.0.0"}}
    lock = {"lockfileVersion": 3, "packages": {"": project, "node_modules/is-number": locked}}
    for name in ("first", "second"):
        (runner.folder / name).mkdir()
        (runner.folder / name / "package.json").write_text(json.dumps(project))
        (runner.folder / name / "package-lock.json").write_text(json.dumps(lock))

    def install(name: str) -> tuple[str, ...]:
        options = "--no-audit", "--no-fund", "--no-update-notifier"
        return (program("npm"), "ci", *options, "--prefix", name, "--cache", f"{name}-cache")

    twice(runner, [install("first"), install("second")])

    installed = left_by_both(runner, "node_modules/**/*")
    assert "node_modules/is-number/package.json" in installed


def test_apt(runner: Runner) -> None:
    apt = program("apt-get")
    commands = []
    for name in ("first", "second"):
        (runner.folder / name).mkdir()
        commands.append(("sh", "-c", f"cd {name} && {apt} download hello"))

    twice(runner, commands)

    assert left_by_both(runner, "*") != {}


def test_npm_installs_what_was_only_warmed(tmp_path: Path, authority: Authority, passing_registry: Registry) -> None:
    npm = program("npm")
    runner = Runner(tmp_path, authority.file)
    (tmp_path / "package.json").write_text(json.dumps(passing_registry.project))
    (tmp_path / "package-lock.json").write_text(json.dumps(passing_registry.lock))
    registry = {"npm_config_registry": f"{passing_registry.url}/"}

    warmed = runner.secondhand("warm", "--private", "package-lock.json", **registry)
    passing_registry.origin.stop()
    ran = runner(
        *("--offline", "--proxy-localhost", "--", npm, "ci", "--no-audit", "--no-update-notifier", "--cache", "empty"),
        around=without_a_route(),
        **registry,
    )

    assert warmed.code == 0, warmed.output + warmed.errors
    assert warmed.output.splitlines()[-1].startswith("1 fetched")
    assert (ran.code, ran.count("from copies"), ran.count("fetched")) == (0, 1, 0), ran.errors
    assert (tmp_path / "node_modules" / "specimen" / "index.js").read_bytes() == b"42\n"


@dataclass(frozen=True)
class Registry:
    """A registry with one package, and a project that wants it."""

    origin: Origin
    url: str
    project: Mapping[str, object]
    lock: Mapping[str, object]


@pytest.fixture(params=["http", "https"])
def passing_registry(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Registry]:
    origin = Origin(authority.context("localhost") if request.param == "https" else None)
    tarball = tar_gz({"package/package.json": '{"name": "specimen", "version": "1.0.0"}', "package/index.js": "42\n"})
    there = origin.offer("/npm/specimen/-/specimen-1.0.0.tgz", page(tarball))
    project = {"name": "a", "version": "1.0.0", "dependencies": {"specimen": "1.0.0"}}
    integrity = f"sha512-{b64encode(sha512(tarball).digest()).decode()}"
    specimen = {"version": "1.0.0", "resolved": there, "integrity": integrity}
    packages = {"": project, "node_modules/specimen": specimen}
    lock = {"name": "a", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
    yield Registry(origin, there.partition("/specimen/")[0], project, lock)
    if not origin.stopped:
        origin.stop()
