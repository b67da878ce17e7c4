"""`secondhand warm --check`: what is missing in the store, without asking an origin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.command_line import secondhand
from tests.fixtures.lock_files import sha256, written
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

WHEEL = "demo-1.0-py3-none-any.whl"


@pytest.fixture(autouse=True)
def isolated_settings(default_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_ORIGIN__PROXY", "none")


def lock_of(tmp_path: Path, url: str, content: bytes = WHEEL.encode()) -> Path:
    file = f'{{url = "{url}", hash = "sha256:{sha256(content)}"}}'
    return written(tmp_path, "pdm.lock", f'[[package]]\nname = "demo"\nfiles = [{file}]\n')


def test_what_is_stored_and_what_is_missing(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, f"/{WHEEL}", WHEEL.encode())
    lock, store = lock_of(tmp_path, url), ("--store", tmp_path / "store")
    missing = secondhand("warm", "--check", lock, *store)
    assert (missing.exit_code, missing.stdout) == (3, f"MISSING\tWHY\n{url}\tnot stored\n0 stored, 1 missing\n")
    assert origin.requests == []
    assert secondhand("warm", lock, *store).exit_code == 0
    stored = secondhand("warm", "--check", lock, *store)
    assert (stored.exit_code, stored.stdout) == (0, "1 stored, 0 missing\n")
    assert len(origin.requests) == 1


def test_a_stale_response_is_stored_and_its_content_is_checked(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, f"/{WHEEL}", WHEEL.encode(), {"Cache-Control": "max-age=0", "ETag": '"1"'})
    store = ("--store", tmp_path / "store")
    secondhand("warm", url, *store)
    assert secondhand("warm", "--check", lock_of(tmp_path, url), *store).exit_code == 0
    result = secondhand("warm", "--check", "--json", lock_of(tmp_path, url, b"another"), *store)
    assert result.exit_code == 3
    [missing] = json.loads(result.stdout)["missing"]
    assert missing == {"name": url, "why": "the content does not have the digest in the lock file"}
    assert secondhand("ls", "--json", *store).stdout.count(url) == 1  # it is still there


def test_a_missing_index_page_is_missing_and_an_invalid_lock_file_is_a_failure(tmp_path: Path, origin: Origin) -> None:
    base = serve_page(origin, "/simple").removesuffix("/simple")
    package = '[[package]]\nname = "demo"\nversion = "1"\nfiles = [{file = "a.tar.gz", hash = "sha256:00"}]\n'
    source = f'[package.source]\ntype = "legacy"\nurl = "{base}/simple"\n'
    lock, store = written(tmp_path, "poetry.lock", package + source), ("--store", tmp_path / "store")
    result = secondhand("warm", "--check", lock, *store)
    assert (result.exit_code, result.stdout.splitlines()[1]) == (3, f"demo\t{base}/simple/demo/: not stored")
    lock.write_text("[[")
    assert secondhand("warm", "--check", lock, *store).exit_code == 1


def test_a_check_changes_nothing_and_works_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_CACHE__MODE", "offline")
    assert secondhand("warm", "--check", "http://a.test/", "--store", tmp_path / "store").exit_code == 3
    assert secondhand("queue", "list", "--store", tmp_path / "store").stdout == ""


def test_a_store_in_memory_is_that_of_a_running_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__KIND", "memory")
    result = secondhand("warm", "--check", "http://a.test/", "--store", tmp_path / "store")
    assert result.exit_code == 1
    assert "the store is in memory" in result.stderr
