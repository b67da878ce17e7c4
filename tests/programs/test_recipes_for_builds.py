"""The recipes for CI and for Docker, run with curl in the place of the package managers."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.fixtures.documentation import block, replaced
from tests.fixtures.proxy_process import COMMANDS, Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import program, run

INSTALLING = ("pipx install secondhand", "pip install secondhand")


@pytest.fixture
def origin_that_can_stop() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


def package_manager(folder: Path, name: str, url: str) -> None:
    """Write a program that downloads one file, whatever its arguments are."""
    folder.mkdir(exist_ok=True)
    curl = f"{program('curl')} --fail --silent --show-error --noproxy none.invalid {shlex.quote(url)}"
    (folder / name).write_text(f"#!/bin/sh\nexec {curl}\n")
    (folder / name).chmod(0o755)


def shell(home: Path, folder: Path, line: str, **variables: str) -> str:
    """Run a line of a job. The package managers are those in `folder`."""
    path = os.pathsep.join([str(folder), str(COMMANDS), os.environ["PATH"]])
    return run(home, "bash", "-e", "-c", line, PATH=path, SECONDHAND_ORIGIN__PROXY="none", **variables)


def test_github_keeps_the_store_for_a_run_without_the_network(tmp_path: Path, origin_that_can_stop: Origin) -> None:
    origin = origin_that_can_stop
    job = yaml.safe_load(block("recipes/github-actions.md", "yaml"))["jobs"]["build"]
    (cache,) = [step["with"] for step in job["steps"] if step.get("uses", "").startswith("actions/cache@")]
    lines = [step["run"] for step in job["steps"] if "run" in step]
    assert [line for line in lines if line in INSTALLING] == ["pipx install secondhand"]
    downloads = [line for line in lines if line not in INSTALLING]
    for name in ("npm", "pip"):
        package_manager(tmp_path / "bin", name, serve_page(origin, f"/{name}", name.encode()))
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    assert [shell(first, tmp_path / "bin", line) for line in downloads] == ["npm", "pip"]
    kept = cache["path"].removeprefix("~/")
    shutil.copytree(first / kept, second / kept)
    origin.stop()
    (step,) = yaml.safe_load(block("recipes/github-actions.md", "yaml", 1))
    assert [shell(second, tmp_path / "bin", line) for line in [*downloads, step["run"]]] == ["npm", "pip", "npm"]


def test_gitlab_keeps_the_store_in_the_project(tmp_path: Path, origin_that_can_stop: Origin) -> None:
    origin = origin_that_can_stop
    job = yaml.safe_load(block("recipes/gitlab-ci.md", "yaml"))["build"]
    (download,) = [line for line in job["script"] if line not in INSTALLING]
    package_manager(tmp_path / "bin", "pip", serve_page(origin, "/pip", b"pip"))

    def pipeline(project: Path) -> str:
        variables = {name: value.replace("$CI_PROJECT_DIR", str(project)) for name, value in job["variables"].items()}
        home = tmp_path / f"home of {project.name}"
        home.mkdir()
        return shell(home, tmp_path / "bin", f"cd {shlex.quote(str(project))} && {download}", **variables)

    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    assert pipeline(first) == "pip"
    for path in job["cache"]["paths"]:
        shutil.copytree(first / path, second / path)
    origin.stop()
    assert pipeline(second) == "pip"


def test_a_step_of_a_docker_build_uses_the_proxy_and_its_certificate(
    tmp_path: Path, ca: ThrowawayCA, secure_origin: Origin
) -> None:
    url = serve_page(secure_origin, "/archive.tar.gz", b"archive")
    starting, building = block("recipes/docker-build.md", "sh"), block("recipes/docker-build.md", "sh", 1)
    with Proxy(tmp_path, origin_ca=ca.file) as proxy:
        export = next(line for line in starting.splitlines() if " trust export " in line).split()
        certificate = tmp_path / export[-1]
        proxy.run(*export[1:-1], str(certificate))
        assert f"src={export[-1]}" in building
        arguments = dict(
            re.findall(r"--build-arg (\w+)=(\S+)", replaced(building, ("http://172.17.0.1:3128", proxy.url)))
        )
        step = re.search(
            r"RUN --mount=type=secret,id=(\w+) \\\n([^#]*)", block("recipes/docker-build.md", "dockerfile")
        )
        assert step
        assert f"id={step[1]}," in building
        command = replaced(
            step[2],
            ("/run/secrets/secondhand", certificate),
            ("https://example.org/archive.tar.gz", url),
            ("curl ", "curl --noproxy none.invalid "),
        )
        run(tmp_path, "sh", "-c", f"cd {shlex.quote(str(tmp_path))} && {command}", **arguments)
        assert (tmp_path / "archive.tar.gz").read_bytes() == b"archive"
        assert proxy.counters()["requests.https"] == 1
