"""Programs that read no common variable about CAs, with `secondhand run`: they trust the proxy, and work offline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from tests.fixtures.pages import page
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.all_hosts_origin import AllHostsOrigin
from tests.programs.installed_programs import program, run
from tests.programs.offline_rerun import files_in_both, run_online_then_offline
from tests.programs.registries.archives import zipped
from tests.programs.secondhand_run import Runner

CONTENT = b"downloaded\n"

DOWNLOADS = {
    "wget": ("--no-verbose", "--output-document", "{name}/file", "{url}"),
    "aria2c": ("--quiet", "--dir", "{name}", "--out", "file", "{url}"),
    "lftp": ("-c", "set net:max-retries 1; get {url} -o {name}/file"),
    "php": (
        "-r",
        "$curl = curl_init('{url}'); curl_setopt($curl, CURLOPT_FILE, fopen('{name}/file', 'w'));"
        "exit(curl_exec($curl) ? 0 : 1);",
    ),
}
"""The arguments by which each program writes a URL to a file."""


@pytest.fixture
def registry(ca: ThrowawayCA) -> Iterator[AllHostsOrigin]:
    with AllHostsOrigin(ca, "files.test") as registry:
        yield registry


@pytest.fixture
def runner(runner: Runner) -> Runner:
    for name in ("first", "second"):
        (runner.folder / name).mkdir()
    return runner


@pytest.mark.parametrize("base", ["http://files.test", "https://files.test"])
@pytest.mark.parametrize("downloader", DOWNLOADS)
def test_a_download(runner: Runner, registry: AllHostsOrigin, downloader: str, base: str) -> None:
    url = registry.offer(f"{base}/file", page(CONTENT))

    def download(name: str) -> tuple[str, ...]:
        # by its name, as people do: aria2c is found in another folder
        return program(downloader) and downloader, *(each.format(url=url, name=name) for each in DOWNLOADS[downloader])

    run_online_then_offline(runner, registry, download("first"), download("second"))

    assert files_in_both(runner, "*") == {"file": CONTENT}


def test_composer(runner: Runner, registry: AllHostsOrigin) -> None:
    archive = zipped({"specimen/composer.json": '{"name": "acme/specimen"}', "specimen/a.php": "<?php\n"})
    registry.offer("https://files.test/specimen.zip", page(archive))
    dist = {"type": "zip", "url": "https://files.test/specimen.zip", "shasum": hashlib.sha1(archive).hexdigest()}
    specimen = {"name": "acme/specimen", "version": "1.0.0", "dist": dist}
    packages = json.dumps({"packages": {"acme/specimen": {"1.0.0": specimen}}})
    registry.offer("https://files.test/packages.json", page(packages.encode(), "application/json"))
    repositories = [{"type": "composer", "url": "https://files.test"}, {"packagist": False}]
    for name in ("first", "second"):
        project = {"repositories": repositories, "require": {"acme/specimen": "1.0.0"}}
        (runner.folder / name / "composer.json").write_text(json.dumps(project))

    def install(name: str) -> tuple[str, ...]:
        options = "--no-interaction", "--no-cache", "--no-plugins", "--prefer-dist"
        return program("composer"), "install", *options, "--working-dir", name

    run_online_then_offline(runner, registry, install("first"), install("second"), COMPOSER_ALLOW_SUPERUSER="1")

    assert files_in_both(runner, "vendor/acme/specimen/*").keys() == {
        "vendor/acme/specimen/a.php",
        "vendor/acme/specimen/composer.json",
    }


def test_git_lfs(runner: Runner, registry: AllHostsOrigin) -> None:
    git = program("git")
    program("git-lfs")
    digest = hashlib.sha256(CONTENT).hexdigest()
    href = registry.offer(f"https://files.test/objects/{digest}", page(CONTENT))
    found = {"oid": digest, "size": len(CONTENT), "actions": {"download": {"href": href}}}
    batch = json.dumps({"transfer": "basic", "objects": [found]}).encode()
    registry.offer("https://files.test/lfs/objects/batch", page(batch, "application/vnd.git-lfs+json"))
    run(runner.folder, git, "init", "--quiet", str(runner.folder))
    (runner.folder / ".lfsconfig").write_text("[lfs]\n    url = https://files.test/lfs\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(CONTENT)}\n"
    (runner.folder / "pointer").write_text(pointer)

    ran = runner("--", "sh", "-c", f"{git} lfs smudge < pointer", SECONDHAND_ORIGIN__PROXY=registry.proxy)

    assert (ran.code, ran.output) == (0, CONTENT.decode()), ran.errors
    assert ran.count("requests") == 2
