"""Package tools with `secondhand run` and empty caches: first with their registries, then without them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.all_hosts_origin import AllHostsOrigin
from tests.programs.installed_programs import program
from tests.programs.offline_rerun import files_in_both, run_online_then_offline
from tests.programs.registries.apt import serve_apt_repository
from tests.programs.registries.cargo import serve_cargo_registry
from tests.programs.registries.go import serve_go_proxy
from tests.programs.registries.maven import GOAL, pom, serve_maven_repository
from tests.programs.registries.npm import serve_npm_registry
from tests.programs.registries.pip import serve_python_index
from tests.programs.secondhand_run import Runner

either_scheme = pytest.mark.parametrize("base", ["http://registry.test", "https://registry.test"])


@pytest.fixture
def registry(ca: ThrowawayCA) -> Iterator[AllHostsOrigin]:
    with AllHostsOrigin(ca, "registry.test") as registry:
        yield registry


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write files into two new folders, `first` and `second`."""
    for name in ("first", "second"):
        for path, text in files.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_text(text)


@either_scheme
def test_pip(runner: Runner, registry: AllHostsOrigin, base: str) -> None:
    index = serve_python_index(registry, base)
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

    run_online_then_offline(runner, registry, download("first"), download("second"), PIP_CONFIG_FILE=os.devnull)

    assert files_in_both(runner, "*").keys() == {"specimen-1.0-py3-none-any.whl", "leaf-1.0-py3-none-any.whl"}


@either_scheme
def test_npm(runner: Runner, registry: AllHostsOrigin, base: str) -> None:
    write_files(runner.folder, serve_npm_registry(registry, base))

    def install(name: str) -> tuple[str, ...]:
        folders = ("--prefix", name, "--cache", f"{name}-cache")
        return program("npm"), "ci", "--no-fund", "--no-update-notifier", "--registry", base, *folders

    _, second = run_online_then_offline(runner, registry, install("first"), install("second"))

    assert "found 0 vulnerabilities" in second.output
    installed = files_in_both(runner, "node_modules/**/*")
    assert {"node_modules/leaf/index.js", "node_modules/specimen/index.js"} <= installed.keys()


@either_scheme
def test_apt(runner: Runner, registry: AllHostsOrigin, base: str, tmp_path: Path) -> None:
    apt = program("apt-get")
    write_files(
        runner.folder,
        {"sources.list": serve_apt_repository(registry, base, tmp_path), "lists/partial/none": "", "cache/none": ""},
    )
    (runner.folder / "status").touch()

    def download(name: str) -> tuple[str, ...]:
        folder = runner.folder / name
        paths = {"Etc::sourcelist": folder / "sources.list", "Etc::sourceparts": "-", "State::lists": folder / "lists"}
        paths |= {"Cache": folder / "cache", "State::status": runner.folder / "status"}
        options = " ".join(f"-o Dir::{place}={path}" for place, path in paths.items())
        apt_command = f"{apt} -qq -o APT::Sandbox::User=root {options}"
        return "sh", "-c", f"cd {name} && {apt_command} update && {apt_command} download specimen"

    run_online_then_offline(runner, registry, download("first"), download("second"))

    assert files_in_both(runner, "*.deb").keys() == {"specimen_1.0_all.deb"}


@either_scheme
def test_cargo(runner: Runner, registry: AllHostsOrigin, base: str) -> None:
    cargo = program("cargo")
    index = serve_cargo_registry(registry, base)
    files = {
        "src/lib.rs": "",
        "Cargo.toml": '[package]\nname = "a"\nversion = "1.0.0"\n[dependencies]\nspecimen = "1"\n',
        ".cargo/config.toml": f'[source.crates-io]\nreplace-with = "x"\n[source.x]\nregistry = "{index}"\n',
    }
    write_files(runner.folder, files)

    def fetch(name: str) -> tuple[str, ...]:
        return "sh", "-c", f"cd {name} && CARGO_HOME=$PWD/home exec {cargo} fetch"

    rustup = os.environ.get("RUSTUP_HOME", str(Path.home() / ".rustup"))  # `cargo` may be a proxy of rustup
    run_online_then_offline(runner, registry, fetch("first"), fetch("second"), RUSTUP_HOME=rustup)

    fetched = files_in_both(runner, "**/*.crate", "home/registry/src/**/*", "Cargo.lock")
    assert {name.rpartition("/")[2] for name in fetched} >= {"specimen-1.0.0.crate", "leaf-1.0.0.crate", "Cargo.lock"}


def test_go(runner: Runner, registry: AllHostsOrigin) -> None:
    go = program("go")
    settings = {
        "GOPROXY": serve_go_proxy(registry, "https://registry.test"),
        "GONOSUMDB": "*",
        "GOFLAGS": "-mod=mod -modcacherw",  # pytest must be able to delete the files
        "GOENV": "off",
        "GO111MODULE": "on",
        "GOTOOLCHAIN": "local",
    }
    write_files(runner.folder, {"go.mod": "module a\n\ngo 1.19\n\nrequire example.org/specimen v1.0.0\n"})

    def download(name: str) -> tuple[str, ...]:
        commands = f"{go} list -m -versions example.org/specimen && exec {go} mod download all"
        return "sh", "-c", f"cd {name} && export GOMODCACHE=$PWD/modules GOCACHE=$PWD/builds && {commands}"

    first, second = run_online_then_offline(runner, registry, download("first"), download("second"), **settings)

    assert first.output == second.output == "example.org/specimen v1.0.0\n"
    downloaded = files_in_both(runner, "modules/**/*", "go.sum")
    assert {"modules/example.org/specimen@v1.0.0/a.go", "modules/example.org/leaf@v1.0.0/a.go"} <= downloaded.keys()


def test_maven(runner: Runner, registry: AllHostsOrigin, tmp_path: Path) -> None:
    mvn = program("mvn")
    settings = serve_maven_repository(registry, "https://registry.test/maven2", mvn, tmp_path)
    (runner.folder / "settings.xml").write_text(settings)
    (runner.folder / "pom.xml").write_text(pom("a", "pom", needs="specimen"))

    def resolve(name: str) -> tuple[str, ...]:
        local = f"-Dmaven.repo.local={runner.folder / name}"
        return mvn, "--batch-mode", "--strict-checksums", "--settings", "settings.xml", local, GOAL

    run_online_then_offline(runner, registry, resolve("first"), resolve("second"))

    resolved = files_in_both(runner, "**/*.jar", "**/*.pom", "**/*.sha1", "**/maven-metadata*.xml")
    assert {f"org/example/{name}/1.1/{name}-1.1.jar" for name in ("leaf", "specimen")} <= resolved.keys()
