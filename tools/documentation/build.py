"""Builds the site with Sphinx."""

from __future__ import annotations

from pathlib import Path

from sphinx.cmd.build import build_main

from tools.documentation.source import write_source


def build(folder: Path) -> int:
    """Write the source and the site into a folder. Return 0, or another number if there was a warning."""
    write_source(folder / "source")
    return build_main(
        [
            *("--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"),
            *("--conf-dir", str(Path(__file__).parent)),
            *("--doctree-dir", str(folder / "doctrees")),
            str(folder / "source"),
            str(folder / "html"),
        ]
    )
