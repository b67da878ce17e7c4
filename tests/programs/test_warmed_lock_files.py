"""Package managers install offline what `secondhand warm` has fetched for their lock file, and nothing is missing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.fixtures.pages import page
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.all_hosts_origin import AllHostsOrigin
from tests.programs.installed_programs import program
from tests.programs.managers import node_file, path_with, python_manager
from tests.programs.registries.archives import zipped
from tests.programs.registries.gems import serve_gem_server
from tests.programs.registries.maven import GOAL, pom, serve_maven_repository
from tests.programs.registries.npm import serve_npm_registry
from tests.programs.registries.pip import serve_python_index
from tests.programs.secondhand_run import Runner, without_network

BASE = "https://registry.test"


@pytest.fixture
def registry(ca: ThrowawayCA) -> Iterator[AllHostsOrigin]:
    with AllHostsOrigin(ca, "registry.test") as registry:
        yield registry


def lock(runner: Runner, registry: AllHostsOrigin, command: Sequence[str], **variables: str) -> None:
    """Have a program write its lock file, with a store of its own."""
    apart = {"XDG_CACHE_HOME": str(runner.folder / "apart"), "SECONDHAND_ORIGIN__PROXY": registry.proxy}
    done = runner("--", *command, **variables, **apart)
    assert done.code == 0, done.output + done.errors


def warm_and_install(
    runner: Runner,
    registry: AllHostsOrigin,
    file: str,
    install: Sequence[str],
    *options: str,
    **variables: str,
) -> None:
    """Fetch what a lock file names, stop the registry, and install offline. Check that nothing was missing."""
    warmed = runner.secondhand(
        "warm", "--private", file, *options, SECONDHAND_ORIGIN__PROXY=registry.proxy, **variables
    )
    assert warmed.code == 0, warmed.output + warmed.errors
    checked = runner.secondhand("warm", "--private", "--check", file, *options, **variables)
    assert checked.code == 0, checked.output + checked.errors
    registry.stop()

    installed = runner("--offline", "--", *install, wrapper=without_network(), **variables)

    assert installed.code == 0, installed.output + installed.errors
    assert installed.count("from copies") > 0
    assert installed.summary.endswith("nothing missing"), installed.errors


def node_project(runner: Runner, registry: AllHostsOrigin) -> None:
    files = serve_npm_registry(registry, BASE)
    (runner.folder / "package.json").write_text(files["package.json"])
    (runner.folder / ".npmrc").write_text(f"registry={BASE}/\nupdate-notifier=false\n")


def assert_installed(runner: Runner) -> None:
    assert (runner.folder / "node_modules/specimen/index.js").exists()


@pytest.mark.parametrize("version", ["1", "3"])
def test_npm_without_urls_in_the_lock_file(runner: Runner, registry: AllHostsOrigin, version: str) -> None:
    npm = program("npm")
    node_project(runner, registry)
    options = ("--package-lock-only", "--omit-lockfile-registry-resolved", f"--lockfile-version={version}")
    lock(runner, registry, (npm, "install", *options, "--cache", "first"))
    assert "resolved" not in (runner.folder / "package-lock.json").read_text()
    warm_and_install(runner, registry, "package-lock.json", (npm, "ci", "--no-audit", "--cache", "second"))
    assert_installed(runner)


def test_yarn_1(runner: Runner, registry: AllHostsOrigin) -> None:
    yarn = ("node", str(node_file("yarn", "bin/yarn.js")), "install", "--non-interactive", "--no-default-rc")
    node_project(runner, registry)
    (runner.folder / ".yarnrc").write_text(f'registry "{BASE}/"\n')
    lock(runner, registry, (*yarn, "--cache-folder", "first", "--use-yarnrc", ".yarnrc"))
    install = ("sh", "-c", f"rm -r node_modules && exec {' '.join(yarn)} --frozen-lockfile --cache-folder second")
    warm_and_install(runner, registry, "yarn.lock", install)
    assert_installed(runner)


def test_yarn_4(runner: Runner, registry: AllHostsOrigin) -> None:
    yarn = node_file("@yarnpkg/cli-dist", "bin/yarn.js")
    path = path_with(runner.folder / "bin", yarn=yarn)
    node_project(runner, registry)
    (runner.folder / "yarn.lock").touch()
    (runner.folder / ".yarnrc.yml").write_text(
        f'npmRegistryServer: "{BASE}"\nnodeLinker: node-modules\nenableTelemetry: false\nnpmMinimalAgeGate: 0\n'
    )
    lock(runner, registry, ("yarn", "install"), PATH=path, YARN_GLOBAL_FOLDER="first")
    install = ("sh", "-c", "rm -r node_modules && exec yarn install --immutable")
    warm_and_install(runner, registry, "yarn.lock", install, PATH=path, YARN_GLOBAL_FOLDER="second")
    assert_installed(runner)


@pytest.mark.parametrize("version", ["pnpm", "pnpm-10"])
def test_pnpm(runner: Runner, registry: AllHostsOrigin, version: str) -> None:
    names = {"pnpm": "pnpm", "pnpm-10": "bin/pnpm.cjs"}
    path = path_with(runner.folder / "bin", pnpm=node_file(version, names[version]))
    node_project(runner, registry)
    quiet = {"PATH": path, "pnpm_config_update_notifier": "false", "npm_config_update_notifier": "false"}
    lock(runner, registry, ("pnpm", "install", "--store-dir", "first"), **quiet)
    install = ("sh", "-c", "rm -r node_modules && exec pnpm install --frozen-lockfile --store-dir second")
    warm_and_install(runner, registry, "pnpm-lock.yaml", install, **quiet)
    assert_installed(runner)


def test_bun(runner: Runner, registry: AllHostsOrigin) -> None:
    path = path_with(runner.folder / "bin", bun=node_file("bun", "bin/bun.exe"))
    node_project(runner, registry)
    lock(runner, registry, ("bun", "install", "--cache-dir", "first"), PATH=path)
    install = ("sh", "-c", "rm -r node_modules && exec bun install --frozen-lockfile --cache-dir second")
    warm_and_install(runner, registry, "bun.lock", install, PATH=path)
    assert_installed(runner)


def python_project(runner: Runner, registry: AllHostsOrigin, more: str) -> None:
    serve_python_index(registry, BASE)
    project = 'name = "a"\nversion = "1.0"\nrequires-python = ">=3.12"\ndependencies = ["specimen==1.0"]\n'
    (runner.folder / "pyproject.toml").write_text(f"[project]\n{project}{more}")


def test_poetry(runner: Runner, registry: AllHostsOrigin) -> None:
    poetry = str(python_manager("poetry"))
    source = f'name = "own"\nurl = "{BASE}/simple/"\npriority = "primary"\n'
    python_project(runner, registry, f"[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\n{source}")
    own = {"POETRY_VIRTUALENVS_IN_PROJECT": "1"}
    lock(runner, registry, (poetry, "lock", "--no-interaction"), POETRY_CACHE_DIR="first", **own)
    install = (poetry, "install", "--no-interaction")
    warm_and_install(runner, registry, "poetry.lock", install, POETRY_CACHE_DIR="second", **own)
    assert list(runner.folder.glob(".venv/lib/*/site-packages/specimen-1.0.dist-info"))


@pytest.mark.parametrize("strategy", ["inherit_metadata", "static_urls"])
def test_pdm(runner: Runner, registry: AllHostsOrigin, strategy: str) -> None:
    pdm = str(python_manager("pdm"))
    path = path_with(runner.folder / "bin", pdm=Path(pdm))
    source = f'name = "pypi"\nurl = "{BASE}/simple"\n'
    python_project(runner, registry, f"[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\n{source}")
    variables = {"PATH": path, "PDM_CHECK_UPDATE": "0", "PDM_IGNORE_SAVED_PYTHON": "1"}
    lock(runner, registry, (pdm, "lock", "-S", strategy), PDM_CACHE_DIR="first", **variables)
    install = (pdm, "install", "--frozen-lockfile")
    warm_and_install(runner, registry, "pdm.lock", install, PDM_CACHE_DIR="second", **variables)
    assert list(runner.folder.glob(".venv/lib/*/site-packages/specimen-1.0.dist-info"))


def test_uv_with_pylock(runner: Runner, registry: AllHostsOrigin) -> None:
    uv = str(python_manager("uv"))
    python_project(runner, registry, "")
    index = ("--default-index", f"{BASE}/simple", "--no-config")
    lock(runner, registry, (uv, "pip", "compile", "pyproject.toml", *index, "-o", "pylock.toml", "--no-cache"))
    install = (uv, "pip", "install", "--no-config", "--no-cache", "--target", "installed", "-r", "pylock.toml")
    warm_and_install(runner, registry, "pylock.toml", (*install, "--python", sys.executable))
    assert (runner.folder / "installed/specimen-1.0.dist-info").is_dir()


def test_bundler(runner: Runner, registry: AllHostsOrigin, tmp_path: Path) -> None:
    bundle = program("bundle")
    serve_gem_server(registry, BASE, program("gem"), tmp_path)
    (runner.folder / "Gemfile").write_text(f'source "{BASE}"\ngem "specimen"\n')
    lock(runner, registry, (bundle, "lock"), BUNDLE_USER_HOME="first")
    own = {"BUNDLE_USER_HOME": "second", "BUNDLE_FROZEN": "true", "BUNDLE_PATH": "installed"}
    warm_and_install(runner, registry, "Gemfile.lock", (bundle, "install"), **own)
    assert list(runner.folder.glob("installed/ruby/*/gems/leaf-1.0.0"))


def test_composer(runner: Runner, registry: AllHostsOrigin) -> None:
    composer = program("composer")
    archive = zipped({"specimen/composer.json": json.dumps({"name": "example/specimen"}), "specimen/a.php": ""})
    url = registry.offer(f"{BASE}/specimen.zip", page(archive, "application/zip"))
    dist = {"type": "zip", "url": url, "shasum": hashlib.sha1(archive).hexdigest()}
    package = {"name": "example/specimen", "version": "1.0.0", "dist": dist}
    repositories = [{"type": "package", "package": package}, {"packagist": False}]
    project = {"name": "a/b", "require": {"example/specimen": "1.0.0"}, "repositories": repositories}
    (runner.folder / "composer.json").write_text(json.dumps(project))
    variables = {"COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_HOME": "composer-home"}
    lock(runner, registry, (composer, "update", "--no-install", "--no-interaction"), **variables)
    warm_and_install(
        runner, registry, "composer.lock", (composer, "install", "--no-interaction", "--no-cache"), **variables
    )
    assert (runner.folder / "vendor/example/specimen/a.php").exists()


def test_maven(runner: Runner, registry: AllHostsOrigin, tmp_path: Path) -> None:
    mvn, base = program("mvn"), f"{BASE}/maven2"
    settings = serve_maven_repository(registry, base, mvn, tmp_path)
    (runner.folder / "settings.xml").write_text(settings)
    project = pom("a", "pom", needs="leaf")
    (runner.folder / "pom.xml").write_text(project)

    def resolve(name: str) -> tuple[str, ...]:
        goal = GOAL.replace(":resolve", ":1.1:resolve")
        local = f"-Dmaven.repo.local={runner.folder / name}"
        return mvn, "--batch-mode", "--strict-checksums", "--settings", "settings.xml", local, goal

    lock(runner, registry, resolve("first"))
    files = [each for each in (runner.folder / "first").rglob("*") if each.suffix in (".jar", ".pom")]
    command = ("sha256sum", *(str(each.relative_to(runner.folder / "first")) for each in files))
    sums = subprocess.run(command, cwd=runner.folder / "first", capture_output=True, text=True, check=True).stdout
    (runner.folder / "checksums-m.sha256").write_text(sums)

    warm_and_install(runner, registry, "checksums-m.sha256", resolve("second"), "--index", base)

    assert (runner.folder / "second/org/example/leaf/1.1/leaf-1.1.jar").exists()
