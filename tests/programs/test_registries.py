"""Package tools by `secondhand run`, without caches of their own, from registries that are gone the second time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.throwaway_ca import Authority
from tests.programs.again import left_by_both, run_again_without_it
from tests.programs.every_name import EveryName
from tests.programs.programs import program
from tests.programs.registries.artifacts import GOAL, pom, serve_artifacts
from tests.programs.registries.crates import serve_crates
from tests.programs.registries.debs import serve_debs
from tests.programs.registries.modules import serve_modules
from tests.programs.registries.packages import serve_packages
from tests.programs.registries.wheels import serve_wheels
from tests.programs.running import Runner

either_scheme = pytest.mark.parametrize("base", ["http://registry.test", "https://registry.test"])


@pytest.fixture
def registry(authority: Authority) -> Iterator[EveryName]:
    registry = EveryName(authority, "registry.test")
    yield registry
    if not registry.stopped:
        registry.stop()


def make(folder: Path, files: dict[str, str]) -> None:
    """Write files into two new folders, `first` and `second`."""
    for name in ("first", "second"):
        for path, text in files.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(text)


@either_scheme
def test_pip(runner: Runner, registry: EveryName, base: str) -> None:
    index = serve_wheels(registry, base)
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "download",
        "--no-cache-dir",
        "--index-url",
        index,
    )
    trusted = ("--trusted-host", "registry.test") if base.startswith("http:") else ()

    def download(name: str) -> tuple[str, ...]:
        return *pip, *trusted, "--dest", name, "specimen"

    run_again_without_it(runner, registry, download("first"), download("second"), PIP_CONFIG_FILE=os.devnull)

    assert left_by_both(runner, "*").keys() == {"specimen-1.0-py3-none-any.whl", "leaf-1.0-py3-none-any.whl"}


@either_scheme
def test_npm(runner: Runner, registry: EveryName, base: str) -> None:
    make(runner.folder, serve_packages(registry, base))

    def install(name: str) -> tuple[str, ...]:
        folders = ("--prefix", name, "--cache", f"{name}-cache")
        return program("npm"), "ci", "--no-fund", "--no-update-notifier", "--registry", base, *folders

    _, second = run_again_without_it(runner, registry, install("first"), install("second"))

    assert "found 0 vulnerabilities" in second.output
    installed = left_by_both(runner, "node_modules/**/*")
    assert {"node_modules/leaf/index.js", "node_modules/specimen/index.js"} <= installed.keys()


@either_scheme
def test_apt(runner: Runner, registry: EveryName, base: str, tmp_path: Path) -> None:
    apt = program("apt-get")
    make(
        runner.folder,
        {"sources.list": serve_debs(registry, base, tmp_path), "lists/partial/none": "", "cache/none": ""},
    )
    (runner.folder / "status").touch()

    def download(name: str) -> tuple[str, ...]:
        here = runner.folder / name
        places = {"Etc::sourcelist": here / "sources.list", "Etc::sourceparts": "-", "State::lists": here / "lists"}
        places |= {"Cache": here / "cache", "State::status": runner.folder / "status"}
        options = " ".join(f"-o Dir::{place}={path}" for place, path in places.items())
        apt_here = f"{apt} -qq -o APT::Sandbox::User=root {options}"
        return "sh", "-c", f"cd {name} && {apt_here} update && {apt_here} download specimen"

    run_again_without_it(runner, registry, download("first"), download("second"))

    assert left_by_both(runner, "*.deb").keys() == {"specimen_1.0_all.deb"}


@either_scheme
def test_cargo(runner: Runner, registry: EveryName, base: str) -> None:
    cargo = program("cargo")
    index = serve_crates(registry, base)
    files = {
        "src/lib.rs": "",
        "Cargo.toml": '[package]\nname = "a"\nversion = "1.0.0"\n[dependencies]\nspecimen = "1"\n',
        ".cargo/config.toml": f'[source.crates-io]\nreplace-with = "x"\n[source.x]\nregistry = "{index}"\n',
    }
    make(runner.folder, files)

    def fetch(name: str) -> tuple[str, ...]:
        return "sh", "-c", f"cd {name} && CARGO_HOME=$PWD/home exec {cargo} fetch"

    rustup = os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup"))  # where `cargo` is rustup's
    run_again_without_it(runner, registry, fetch("first"), fetch("second"), RUSTUP_HOME=rustup)

    fetched = left_by_both(runner, "**/*.crate", "home/registry/src/**/*", "Cargo.lock")
    assert {name.rpartition("/")[2] for name in fetched} >= {"specimen-1.0.0.crate", "leaf-1.0.0.crate", "Cargo.lock"}


def test_go(runner: Runner, registry: EveryName) -> None:
    go = program("go")
    settings = {
        "GOPROXY": serve_modules(registry, "https://registry.test"),
        "GONOSUMDB": "*",
        "GOFLAGS": "-mod=mod -modcacherw",  # so that it can be deleted after the test
        "GOENV": "off",
        "GO111MODULE": "on",
        "GOTOOLCHAIN": "local",
    }
    make(runner.folder, {"go.mod": "module a\n\ngo 1.19\n\nrequire example.org/specimen v1.0.0\n"})

    def download(name: str) -> tuple[str, ...]:
        commands = f"{go} list -m -versions example.org/specimen && exec {go} mod download all"
        return "sh", "-c", f"cd {name} && export GOMODCACHE=$PWD/modules GOCACHE=$PWD/builds && {commands}"

    first, second = run_again_without_it(runner, registry, download("first"), download("second"), **settings)

    assert first.output == second.output == "example.org/specimen v1.0.0\n"
    downloaded = left_by_both(runner, "modules/**/*", "go.sum")
    assert {"modules/example.org/specimen@v1.0.0/a.go", "modules/example.org/leaf@v1.0.0/a.go"} <= downloaded.keys()


def test_maven(runner: Runner, registry: EveryName, tmp_path: Path) -> None:
    mvn = program("mvn")
    settings = serve_artifacts(registry, "https://registry.test/maven2", mvn, tmp_path)
    (runner.folder / "settings.xml").write_text(settings)
    (runner.folder / "pom.xml").write_text(pom("a", "pom", needs="specimen"))

    def resolve(name: str) -> tuple[str, ...]:
        local = f"-Dmaven.repo.local={runner.folder / name}"
        return mvn, "--batch-mode", "--strict-checksums", "--settings", "settings.xml", local, GOAL

    run_again_without_it(runner, registry, resolve("first"), resolve("second"))

    resolved = left_by_both(runner, "**/*.jar", "**/*.pom", "**/*.sha1", "**/maven-metadata*.xml")
    assert {f"org/example/{name}/1.1/{name}-1.1.jar" for name in ("leaf", "specimen")} <= resolved.keys()
