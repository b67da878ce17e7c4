"""pip through the proxy: the one test that leaves the machine, for the index that pip is configured with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.proxy_process import PATIENCE, Proxy
from tests.programs.programs import run

PACKAGE = "iniconfig"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")

# pip before 26 asks for the page of a package with max-age=0, which drives a request to the origin otherwise
FRESH_IS_ENOUGH = {"CACHE__CLIENT_RELOAD": "ignore-when-fresh"}


def configured_index() -> dict[str, str]:
    """Return pip's own index as a variable, if it is not the default: an environment that has nothing else of pip's."""
    asked = subprocess.run(
        [*PIP, "config", "get", "global.index-url"], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    index = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    return {"PIP_INDEX_URL": index} if index else {}


def download(folder: Path, *options: str) -> dict[str, bytes]:
    """Download into a new folder without pip's cache or any local index; return the files."""
    folder.mkdir()
    run(
        folder,
        *(*PIP, "download", "--no-deps", "--only-binary", ":all:", "--cache-dir", str(folder / "cache")),
        *("--dest", str(folder / "files"), *options, PACKAGE),
        PIP_CONFIG_FILE=os.devnull,
        **configured_index(),
    )
    return {file.name: file.read_bytes() for file in (folder / "files").iterdir()}


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, bytes]:
    """What pip downloads without the proxy. No index within reach: nothing to test."""
    try:
        return download(tmp_path / "without the proxy")
    except AssertionError as failure:
        pytest.skip(f"pip reaches no index: {failure}")


def test_the_second_download_comes_from_the_copy_and_the_third_too_after_kill_9(
    tmp_path: Path, expected: dict[str, bytes]
) -> None:
    def through(proxy: Proxy, name: str) -> dict[str, bytes]:
        return download(tmp_path / name, "--proxy", proxy.url, "--cert", str(proxy.certificate))

    with Proxy(tmp_path, settings=FRESH_IS_ENOUGH) as proxy:
        assert through(proxy, "first") == expected
        first = proxy.counters()
        assert through(proxy, "second") == expected
        second = proxy.counters()
        proxy.kill()

    assert first["origin.fetches"] >= 2  # the package's page and a file at least
    assert second["hits.https"] == first["hits.https"] + first["origin.fetches"]
    assert second["origin.fetches"] == first["origin.fetches"]

    with Proxy(tmp_path, settings=FRESH_IS_ENOUGH) as proxy:
        assert through(proxy, "third") == expected
        third = proxy.counters()

    assert third["hits.https"] == first["origin.fetches"]
    assert third["origin.fetches"] == 0
