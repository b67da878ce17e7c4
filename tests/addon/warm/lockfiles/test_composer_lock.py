"""composer.lock: the archives of the packages."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.fixtures.lock_files import fetched, warmed, written
from tests.fixtures.static_pages import FRESH, serve_page
from tests.fixtures.web_origin import Origin


def test_archives_are_requested_as_composer_does_and_redirects_followed(tmp_path: Path, origin: Origin) -> None:
    archive = serve_page(origin, "/a.zip", b"an archive")
    serve_page(origin, "/b.zip", b"another archive")
    moved = serve_page(origin, "/zipball/01", b"", {**FRESH, "Location": "/b.zip"}, status=302)
    sha1 = hashlib.sha1(b"an archive").hexdigest()
    content = {
        "packages": [
            {"name": "x/a", "version": "1.0.0", "dist": {"type": "zip", "url": archive, "shasum": sha1}},
            {"name": "x/all", "version": "1.0.0", "type": "metapackage"},
            {"name": "x/here", "version": "1.0.0", "dist": {"type": "path", "url": "here"}},
        ],
        "packages-dev": [{"name": "x/b", "version": "1.0.0", "dist": {"type": "zip", "url": moved, "shasum": ""}}],
    }
    assert warmed(tmp_path, written(tmp_path, "composer.lock", json.dumps(content))) == fetched(archive, moved)
    assert len(origin.requests_for("/b.zip")) == 1
    assert origin.requests_for("/zipball/01")[0].fields["accept-encoding"] == "deflate, gzip, br, zstd"


def test_packages_from_git_and_other_schemes_are_named(tmp_path: Path) -> None:
    packages = [
        {"name": "x/f", "source": {"type": "git", "url": "https://git.test/f"}},
        {"name": "x/g", "dist": {"type": "zip", "url": "file:///g.zip"}},
    ]
    file = written(tmp_path, "composer.lock", json.dumps({"packages": packages}))
    assert warmed(tmp_path, file, code=1) == [
        ["failed", "x/f", "it comes from a Git repository: clone it through the proxy"],
        ["failed", "x/g", "it comes from file:///g.zip, which is no HTTP URL"],
    ]
