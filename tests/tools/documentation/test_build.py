"""The site as it is built: no warnings, no link that leads nowhere, nothing from other servers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tools.documentation.source import ROOT, SECTIONS

LOADING = {
    ("script", "src"),
    ("link", "href"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("object", "data"),
}
"""The attributes whose URLs a browser loads by itself."""


@dataclass
class Page(HTMLParser):
    """One page: the links on it, what it loads, and the places that links can lead to."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    places: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.places.add(value)
            elif (tag, name) in LOADING and value:
                self.loaded.append(value)
            elif (tag, name) == ("a", "href") and value:
                self.links.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documentation")
    command = [sys.executable, "-m", "tools.documentation", str(folder)]  # as `make docs` does
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    found = {}
    for file in site.rglob("*.html"):
        page = Page()
        page.feed(file.read_text(encoding="utf-8"))
        found[file] = page
    return found


def test_every_link_within_the_site_leads_to_a_place_that_exists(pages: dict[Path, Page]) -> None:
    broken = [
        f"{file.name}: {link}" for file, page in pages.items() for link in page.links if not leads(file, link, pages)
    ]
    assert not broken
    assert sum(len(page.links) for page in pages.values()) > 1000


def leads(file: Path, link: str, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return parts.scheme in ("http", "https", "mailto")
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if not target.is_file():
        return False
    return not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].places


def test_a_browser_loads_nothing_from_other_servers(site: Path, pages: dict[Path, Page]) -> None:
    loaded = [url for page in pages.values() for url in page.loaded]
    assert loaded
    assert [url for url in loaded if urlsplit(url).netloc] == []
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text(encoding="utf-8")), style


def test_every_page_of_the_repository_is_in_the_table_of_contents(site: Path) -> None:
    listed = {page for section in SECTIONS for page in section.pages}
    assert {*markdown_files()} <= listed
    assert all((site / f"{page}.html").is_file() for page in listed)


def markdown_files() -> Iterator[str]:
    for file in {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {ROOT / "README.md"}:
        yield str(file.relative_to(ROOT).with_suffix(""))
