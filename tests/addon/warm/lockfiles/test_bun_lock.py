"""bun.lock: the tarballs of the registry that Bun is configured for."""

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
PATHS = ("/npm/a/-/a-1.0.0.tgz", "/own/@s/b/-/b-2.0.0.tgz", "/else/c.tgz")

LOCK = """{
  "lockfileVersion": 1,
  "workspaces": { "": { "name": "a, ]b", }, },
  "packages": {
    "a": ["a@1.0.0", "", { "dependencies": { "@s/b": "^2" }, }, "%(digest)s"],
    "@s/b": ["@s/b@2.0.0", "", {}, "%(digest)s"],
    "c": ["c@1.0.0", "%(elsewhere)s", {}, "%(digest)s"],
    "d": ["d@1.0.0", "", { "os": "%(system)s" }, "%(digest)s"],
    "e": ["e@workspace:packages/e"],
  },
}
"""


@pytest.fixture(autouse=True)
def no_registry_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BUN_CONFIG_REGISTRY", "NPM_CONFIG_REGISTRY", "npm_config_registry", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)


def project(tmp_path: Path, origin: Origin) -> tuple[Path, str, list[str]]:
    urls = [serve_page(origin, path, CONTENT) for path in PATHS]
    values = {"digest": integrity(CONTENT), "elsewhere": urls[2], "system": OTHER_SYSTEM}
    return written(tmp_path, "bun.lock", LOCK % values), urls[0].removesuffix(PATHS[0]), urls


def test_the_registries_of_npms_settings(tmp_path: Path, origin: Origin, tool: Tool) -> None:
    file, base, urls = project(tmp_path, origin)
    tool("npm", f"echo '{json.dumps({'registry': f'{base}/npm/', '@s:registry': f'{base}/own/'})}'")
    assert warmed(tmp_path, file) == fetched(*urls)


def test_the_registries_of_bunfig(tmp_path: Path, origin: Origin) -> None:
    file, base, urls = project(tmp_path, origin)
    scopes = f'[install.scopes]\ns = {{ url = "{base}/own/", token = "x" }}\n'
    written(tmp_path, "bunfig.toml", f'[install]\nregistry = "{base}/npm/"\n{scopes}')
    assert warmed(tmp_path, file) == fetched(*urls)


def test_what_does_not_come_from_a_registry_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUN_CONFIG_REGISTRY", "http://own.test/")
    packages = {"f": ["f@git+ssh://git.test/f#0123", {}, "0123"], "g": ["g@ftp://files.test/g.tgz", {}]}
    file = written(tmp_path, "bun.lock", json.dumps({"lockfileVersion": 1, "packages": packages}))
    assert warmed(tmp_path, file, code=1) == [
        ["failed", "f", "it comes from a Git repository: clone it through the proxy"],
        ["failed", "g", "it comes from ftp://files.test/g.tgz, which is no HTTP URL"],
    ]
