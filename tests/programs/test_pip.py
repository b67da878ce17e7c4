"""pip with the proxy and the index that pip is configured with: this test uses the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.programs.installed_programs import run

PACKAGE = "iniconfig"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")

# pip before 26 sends max-age=0 with the request for the page of a package, which would forward the request
IGNORE_RELOAD = {"CACHE__CLIENT_RELOAD": "ignore-when-fresh"}


def configured_index() -> dict[str, str]:
    """Return pip's configured index as an environment variable, or no variable if it is the default index."""
    configured = subprocess.run(
        [*PIP, "config", "get", "global.index-url"], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    index = os.environ.get("PIP_INDEX_URL") or configured.stdout.strip()
    return {"PIP_INDEX_URL": index} if index else {}


def download(folder: Path, *options: str) -> dict[str, bytes]:
    """Download a package into a new folder, without pip's cache. Return the contents of the files by name."""
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
    """Return the files that pip downloads without the proxy. Skip the test if pip cannot reach an index."""
    try:
        return download(tmp_path / "without the proxy")
    except AssertionError as failure:
        pytest.skip(f"pip cannot reach an index: {failure}")


def test_the_second_download_and_one_after_kill_9_come_from_copies(tmp_path: Path, expected: dict[str, bytes]) -> None:
    def through(proxy: Proxy, name: str) -> dict[str, bytes]:
        return download(tmp_path / name, "--proxy", proxy.url, "--cert", str(proxy.certificate))

    with Proxy(tmp_path, settings=IGNORE_RELOAD) as proxy:
        assert through(proxy, "first") == expected
        first = proxy.counters()
        assert through(proxy, "second") == expected
        second = proxy.counters()
        proxy.kill()

    assert first["origin.fetches"] >= 2  # at least the page of the package and a file
    assert second["hits.https"] == first["hits.https"] + first["origin.fetches"]
    assert second["origin.fetches"] == first["origin.fetches"]

    with Proxy(tmp_path, settings=IGNORE_RELOAD) as proxy:
        assert through(proxy, "third") == expected
        third = proxy.counters()

    assert third["hits.https"] == first["origin.fetches"]
    assert third["origin.fetches"] == 0
