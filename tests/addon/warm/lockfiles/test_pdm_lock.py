"""pdm.lock: files with URLs, or the pages of the indexes that PDM is configured for."""

from __future__ import annotations

from pathlib import Path

from tests.addon.warm.conftest import Tool
from tests.fixtures.lock_files import fetched, sha256, warmed, written
from tests.fixtures.static_pages import FRESH, serve_page
from tests.fixtures.web_origin import Origin

WHEEL = "demo-1.0-py3-none-any.whl"
FILE = f'{{file = "{WHEEL}", hash = "sha256:{sha256(WHEEL.encode())}"}}'


def page_and_file(origin: Origin) -> tuple[str, str]:
    link = f'<a href="../../files/{WHEEL}">{WHEEL}</a>'.encode()
    page = serve_page(origin, "/simple/demo/", link, {**FRESH, "Content-Type": "text/html"})
    return page, serve_page(origin, f"/files/{WHEEL}", WHEEL.encode())


def test_the_index_of_pdms_configuration(tmp_path: Path, origin: Origin, tool: Tool) -> None:
    page, file = page_and_file(origin)
    tool("pdm", f"echo {page.removesuffix('/demo/')}")
    text = f'[[package]]\nname = "Demo"\nversion = "1.0"\nfiles = [{FILE}]\n'
    assert warmed(tmp_path, written(tmp_path, "pdm.lock", text)) == fetched(page, file)
    assert origin.requests_for(f"/files/{WHEEL}")[0].fields["accept-encoding"] == "gzip, deflate"


def test_every_index_of_the_project_is_asked(tmp_path: Path, origin: Origin) -> None:
    page, file = page_and_file(origin)
    base = page.removesuffix("/simple/demo/")
    sources = "".join(f'[[tool.pdm.source]]\nname = "{name}"\nurl = "{base}/{name}"\n' for name in ("pypi", "simple"))
    written(tmp_path, "pyproject.toml", sources)
    text = f'[[package]]\nname = "demo"\nversion = "1.0"\nfiles = [{FILE}]\n'
    absent = f"{base}/pypi/demo/"  # PDM asks it as well, and goes on after its 404
    assert warmed(tmp_path, written(tmp_path, "pdm.lock", text)) == fetched(absent, page, file)


def test_files_with_urls(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, f"/{WHEEL}", WHEEL.encode())
    text = f'[[package]]\nname = "demo"\nversion = "1.0"\nfiles = [{{url = "{url}", hash = "sha256:{sha256(b"x")}"}}]\n'
    [line] = warmed(tmp_path, written(tmp_path, "pdm.lock", text), code=1)
    assert line[:2] == ["failed", url]  # it has another digest
    text = text.replace(sha256(b"x"), sha256(WHEEL.encode()))
    assert warmed(tmp_path, written(tmp_path, "pdm.lock", text)) == fetched(url)
