"""yarn.lock of Yarn 1: the tarballs, with the URLs in the file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.fixtures.lock_files import fetched, integrity, warmed, written
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

CONTENT = b"a tarball"


def test_tarballs_are_requested_as_yarn_does_and_checked(tmp_path: Path, origin: Origin) -> None:
    url, scoped = serve_page(origin, "/a/-/a-1.0.0.tgz", CONTENT), serve_page(origin, "/@s/b/-/b-2.0.0.tgz", CONTENT)
    sha1 = hashlib.sha1(CONTENT).hexdigest()
    text = (
        "# yarn lockfile v1\n\n"
        f'a@^1.0.0, a@~1.0.0:\n  version "1.0.0"\n  resolved "{url}#{sha1}"\n  dependencies:\n    "@s/b" "^2.0.0"\n\n'
        f'"@s/b@^2.0.0":\n  version "2.0.0"\n  resolved "{scoped}"\n  integrity {integrity(CONTENT)}\n\n'
        'here@link:./here:\n  version "0.0.0"\n'
    )
    assert warmed(tmp_path, written(tmp_path, "yarn.lock", text)) == fetched(url, scoped)
    [request] = origin.requests_for("/a/-/a-1.0.0.tgz")
    assert request.fields["accept"].startswith("application/vnd.npm.install-v1+json; q=1.0")
    assert request.fields["accept-encoding"] == "gzip"


def test_a_tarball_with_another_sha_1_is_not_kept(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a.tgz", b"something else")
    sha1 = hashlib.sha1(CONTENT).hexdigest()
    text = f'a@^1:\n  version "1.0.0"\n  resolved "{url}#{sha1}"\n'
    [line] = warmed(tmp_path, written(tmp_path, "yarn.lock", text), code=1)
    assert line[:2] == ["failed", url]


def test_packages_from_git_and_other_schemes_are_named(tmp_path: Path) -> None:
    text = (
        'forked@git+ssh://git@git.test/forked:\n  resolved "git+ssh://git@git.test/forked.git#0123"\n'
        'other@file:x:\n  resolved "ftp://files.test/other.tgz"\n'
    )
    assert warmed(tmp_path, written(tmp_path, "yarn.lock", text), code=1) == [
        ["failed", "forked", "it comes from a Git repository: clone it through the proxy"],
        ["failed", "other", "it comes from ftp://files.test/other.tgz, which is no HTTP URL"],
    ]
