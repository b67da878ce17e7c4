"""poetry.lock: the pages of the index and the files, as Poetry requests them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.addon.warm.conftest import Tool
from tests.fixtures.lock_files import fetched, sha256, warmed, written
from tests.fixtures.static_pages import FRESH, serve_page
from tests.fixtures.web_origin import Origin

WHEEL = "demo-1.0-py3-none-any.whl"
OTHER_PLATFORM = "demo-1.0-cp312-cp312-win_arm64.whl"


def package(source: str = "", name: str = "demo") -> str:
    files = ", ".join(
        f'{{file = "{each}", hash = "sha256:{sha256(each.encode())}"}}' for each in (WHEEL, OTHER_PLATFORM)
    )
    return f'[[package]]\nname = "{name}"\nversion = "1.0"\nfiles = [{files}]\n{source}\n'


def source(kind: str, url: str) -> str:
    return f'[package.source]\ntype = "{kind}"\nurl = "{url}"\n'


def test_an_index_of_the_project(tmp_path: Path, origin: Origin) -> None:
    file = serve_page(origin, f"/files/{WHEEL}", WHEEL.encode())
    link = f'<a href="../../files/{WHEEL}">{WHEEL}</a>'.encode()
    page = serve_page(origin, "/simple/demo/", link, {**FRESH, "Content-Type": "text/html"})
    lock = written(tmp_path, "poetry.lock", package(source("legacy", page.removesuffix("/demo/"))))
    assert warmed(tmp_path, lock) == fetched(page, file)
    assert origin.requests_for("/simple/demo/")[0].fields["accept"] == "application/vnd.pypi.simple.v1+json, */*;q=0.1"


def test_the_default_index(tmp_path: Path, origin: Origin, tool: Tool) -> None:
    file = serve_page(origin, f"/files/{WHEEL}", WHEEL.encode())
    release = serve_page(
        origin, "/pypi/demo/1.0/json", json.dumps({"urls": [{"filename": WHEEL, "url": file}]}).encode()
    )
    base = release.removesuffix("/pypi/demo/1.0/json")
    tool("pip", f"echo '  -i, --index-url <url>  Base URL (default {base}/simple).'")
    assert warmed(tmp_path, written(tmp_path, "poetry.lock", package())) == fetched(release, file)


def test_pip_is_asked_once_for_the_default_index(tmp_path: Path, tool: Tool) -> None:
    asked = tmp_path / "asked"
    tool("pip", f"echo once >> {asked}; echo '  -i, --index-url <url>  Base URL (default http://127.0.0.1:1/simple).'")
    warmed(tmp_path, written(tmp_path, "poetry.lock", package() + package(name="other")), code=1)
    assert asked.read_text().split() == ["once"]


def test_the_oldest_form_lists_files_apart(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, f"/{WHEEL}", WHEEL.encode())
    text = (
        f'[[package]]\nname = "demo"\nversion = "1.0"\n{source("url", url)}'
        f'[metadata.files]\ndemo = [{{file = "{WHEEL}", hash = "sha256:{sha256(WHEEL.encode())}"}}]\n'
    )
    assert warmed(tmp_path, written(tmp_path, "poetry.lock", text)) == fetched(url)


def test_what_an_index_does_not_have_is_named(tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/simple/demo/", b"<a>", {**FRESH, "Content-Type": "text/html"})
    base = page.removesuffix("/demo/")
    text = package(source("git", "https://git.test/f"), "f") + package(source("legacy", base), "absent")
    lines = warmed(tmp_path, written(tmp_path, "poetry.lock", text), code=1)
    assert lines == [
        ["failed", "absent", f"{base}/absent/: the origin says 404 Not Found"],
        ["failed", "f", "it comes from a Git repository: clone it through the proxy"],
    ]
