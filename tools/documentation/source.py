"""The source folder of the site: the pages of the repository at their own places, and the pages made from the code."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.documentation import clients, commands, reasons, settings

ROOT = Path(__file__).parents[2]

FILES = ("config.example.toml", "constraints.txt", "LICENSE")
"""Files that pages link to, and that are no pages."""

PICTURES = "docs/pictures"
"""The folder of the pictures that pages show."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the table of contents."""

    title: str
    pages: tuple[str, ...]


SECTIONS = (
    Section(
        "Use",
        (
            "docs/set-up",
            "docs/page",
            "docs/offline",
            "docs/edge",
            "docs/fleet",
            "docs/capacity",
            "docs/mitmproxy",
            "docs/deployment",
            "docs/operation",
            "docs/admin",
            "docs/observability",
            "docs/troubleshooting",
        ),
    ),
    Section(
        "Recipes",
        (
            "docs/recipes/github-actions",
            "docs/recipes/gitlab-ci",
            "docs/recipes/docker-build",
            "docs/recipes/corporate-proxy",
            "docs/recipes/kubernetes",
            "docs/recipes/systemd-user-service",
            "docs/fronts/nginx",
            "docs/fronts/haproxy",
            "docs/fronts/caddy",
        ),
    ),
    Section(
        "Reference",
        (
            "reference/commands",
            "reference/settings",
            *(f"reference/{page.name}" for page in reasons.PAGES),
            "docs/glossary",
        ),
    ),
    Section("Evidence", ("docs/conformance", "docs/performance", "docs/fuzzing")),
    Section("Development", ("docs/architecture", "docs/decisions", "tools/README", "SECURITY", "CHANGELOG")),
)
"""The table of contents, after the first page, which is README.md. A new page gets a place here."""


def write_source(folder: Path) -> None:
    """Write the source of the site into a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for section in SECTIONS:
        for page in section.pages:
            if (ROOT / f"{page}.md").is_file():
                _write(folder / f"{page}.md", (ROOT / f"{page}.md").read_text(encoding="utf-8"))
    _write(folder / "index.md", (ROOT / "README.md").read_text(encoding="utf-8") + _contents())
    _write(folder / "reference/commands.md", commands.page())
    _write(folder / "reference/settings.md", settings.page())
    for page in reasons.PAGES:
        rest = clients.section() if page is reasons.CACHE_STATUS else ""
        _write(folder / f"reference/{page.name}.md", reasons.page(page) + rest)
    for file in FILES:
        shutil.copy(ROOT / file, folder / file)
    shutil.copytree(ROOT / PICTURES, folder / PICTURES)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # README.md is the first page of the site
    file.write_text(text.replace("](../README.md", "](../index.md"), encoding="utf-8")


def _contents() -> str:
    """Return the table of contents as Sphinx reads it."""
    blocks = []
    for section in SECTIONS:
        listed = "\n".join(section.pages)
        blocks.append(f"\n```{{toctree}}\n:hidden:\n:caption: {section.title}\n\n{listed}\n```\n")
    return "\n".join(["", *blocks])
