"""Gemfile.lock: the index of the server, and the gems for this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.lock_files import fetched, sha256, warmed, written
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin


@pytest.fixture(autouse=True)
def linux_on_x86_64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.40"))
    monkeypatch.setattr("sys.platform", "linux")


def lock_of(remote: str, specs: str, more: str = "") -> str:
    return f"GEM\n  remote: {remote}/\n  specs:\n{specs}\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  a\n{more}"


def test_the_index_and_the_gems_for_this_machine(tmp_path: Path, origin: Origin) -> None:
    names = ("versions", "info/a", "info/b", "gems/a-1.0.0.gem", "gems/b-2.0.0.rc1-x86_64-linux-gnu.gem")
    urls = [serve_page(origin, f"/{name}", name.encode()) for name in names]
    specs = (
        "    a (1.0.0)\n      b (~> 2.0)\n    b (2.0.0.rc1)\n    b (2.0.0.rc1-arm64-darwin)\n"
        "    b (2.0.0.rc1-x86_64-linux-gnu)\n    b (2.0.0.rc1-x86_64-linux-musl)\n    b (2.0.0.rc1-java)\n"
    )
    checksums = f"\nCHECKSUMS\n  a (1.0.0) sha256={sha256(b'gems/a-1.0.0.gem')}\n"
    text = lock_of(urls[0].removesuffix("/versions"), specs, checksums)
    assert warmed(tmp_path, written(tmp_path, "Gemfile.lock", text)) == fetched(*urls)


def test_a_gem_with_another_checksum_is_not_kept(tmp_path: Path, origin: Origin) -> None:
    urls = [serve_page(origin, f"/{name}") for name in ("versions", "info/a", "gems/a-1.0.0.gem")]
    checksums = f"\nCHECKSUMS\n  a (1.0.0) sha256={sha256(b'another')}\n"
    text = lock_of(urls[0].removesuffix("/versions"), "    a (1.0.0)\n", checksums)
    failed = [line for line in warmed(tmp_path, written(tmp_path, "gems.locked", text), code=1) if line[0] == "failed"]
    assert [line[1] for line in failed] == [urls[2]]


def test_what_is_not_for_this_machine_or_comes_from_git_is_named(tmp_path: Path, origin: Origin) -> None:
    urls = [serve_page(origin, f"/{name}") for name in ("versions", "info/a")]
    git = "GIT\n  remote: https://git.test/f.git\n  revision: 01\n  specs:\n    f (1.0.0)\n\n"
    text = git + lock_of(urls[0].removesuffix("/versions"), "    a (1.0.0-java)\n")
    lines = warmed(tmp_path, written(tmp_path, "Gemfile.lock", text), code=1)
    why = "the lock file names no gem for this platform: add it with bundle lock --add-platform"
    git_why = "it is a Git repository: clone it through the proxy"
    assert lines == [["failed", "a", why], ["failed", "https://git.test/f.git", git_why], *fetched(*urls)]
