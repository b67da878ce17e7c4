"""pnpm-lock.yaml: the tarballs, and from pnpm 11 on what the registry says of each package."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.addon.warm.conftest import Tool
from tests.fixtures.lock_files import fetched, integrity, warmed, written
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

CONTENT = b"a tarball"
OTHER_SYSTEM = "win32" if sys.platform != "win32" else "linux"


def configured_pnpm(tool: Tool, registry: str, version: int = 10, **scopes: str) -> None:
    agent = {"userAgent": f"pnpm/{version}.1.0 npm/? node/v20 linux x64"}
    own = {f"@{name}:registry": url for name, url in scopes.items()}
    tool("pnpm", f"echo '{json.dumps({'registry': registry, **agent, **own})}'")


@pytest.mark.parametrize(
    ("version", "first", "second"),
    [
        ("'9.0'", "a@1.0.0", "'@s/b@2.0.0'"),
        ("'6.0'", "/a@1.0.0(peer@3.0.0)", "/@s/b@2.0.0"),
        ("5.4", "/a/1.0.0_peer@3.0.0", "/@s/b/2.0.0"),
    ],
)
def test_each_version_of_the_format(
    tmp_path: Path, origin: Origin, tool: Tool, version: str, first: str, second: str
) -> None:
    paths = ("/npm/a/-/a-1.0.0.tgz", "/own/@s/b/-/b-2.0.0.tgz", "/else/c.tgz")
    urls = [serve_page(origin, path, CONTENT) for path in paths]
    base = urls[0].removesuffix(paths[0])
    configured_pnpm(tool, f"{base}/npm/", s=f"{base}/own/")
    digest = f"integrity: {integrity(CONTENT)}"
    text = (
        f"lockfileVersion: {version}\npackages:\n  {first}:\n    resolution: {{{digest}}}\n"
        f"  {second}:\n    resolution: {{{digest}}}\n"
        f"  elsewhere@1.0.0:\n    resolution: {{{digest}}}\n    os: [{OTHER_SYSTEM}]\n"
        f"  c@1.0.0:\n    resolution: {{{digest}, tarball: {urls[2]}}}\n"
        "  d@file:d:\n    resolution: {directory: d, type: directory}\n"
    )
    assert warmed(tmp_path, written(tmp_path, "pnpm-lock.yaml", text)) == fetched(*urls)


SHORT, FULL = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", "application/json; q=1.0, */*"


@pytest.mark.parametrize(("version", "accepted"), [(11, {SHORT, FULL}), (12, {SHORT, FULL, "*/*"})])
def test_pnpm_also_reads_when_each_version_was_published(
    tmp_path: Path, origin: Origin, tool: Tool, version: int, accepted: set[str]
) -> None:
    fields = {"Cache-Control": "max-age=600", "Vary": "Accept"}
    document = serve_page(origin, "/@s%2Fb", b"{}", fields)
    tarball = serve_page(origin, "/@s/b/-/b-2.0.0.tgz", CONTENT)
    configured_pnpm(tool, document.removesuffix("/@s%2Fb"), version=version)
    text = f"lockfileVersion: '9.0'\npackages:\n  '@s/b@2.0.0':\n    resolution: {{integrity: {integrity(CONTENT)}}}\n"
    attestations = document.replace("/@s%2Fb", "/-/npm/v1/attestations/@s/b@2.0.0")  # there are none: a 404
    documents = [document] * len(accepted)
    assert warmed(tmp_path, written(tmp_path, "pnpm-lock.yaml", text)) == fetched(*documents, tarball, attestations)
    assert {request.fields["accept"] for request in origin.requests_for("/@s%2Fb")} == accepted


def test_packages_from_git_are_named(tmp_path: Path, tool: Tool) -> None:
    configured_pnpm(tool, "http://own.test")
    text = (
        "lockfileVersion: '9.0'\npackages:\n  f@1.0.0:\n    resolution: {type: git, repo: git.test/f, commit: '01'}\n"
    )
    [line] = warmed(tmp_path, written(tmp_path, "pnpm-lock.yaml", text), code=1)
    assert line == ["failed", "f@1.0.0", "it comes from a Git repository: clone it through the proxy"]
