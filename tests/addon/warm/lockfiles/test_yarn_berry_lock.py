"""yarn.lock of Yarn 2 and later: the tarballs of the registry that Yarn is configured for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.addon.warm.conftest import Tool
from tests.fixtures.lock_files import fetched, warmed, written
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

OTHER_SYSTEM = "win32" if sys.platform != "win32" else "linux"


def entry(key: str, resolution: str, more: str = "") -> str:
    return f'"{key}":\n  version: 1.0.0\n  resolution: "{resolution}"\n{more}\n'


def lock_of(*entries: str) -> str:
    return "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n" + "".join(entries)


def configured_yarn(tool: Tool, registry: str, scopes: str = "undefined") -> None:
    tool("yarn", f"if [ \"$3\" = npmScopes ]; then echo '{scopes}'; else echo {registry}; fi")


def test_tarballs_come_from_the_registries_that_yarn_is_configured_for(
    tmp_path: Path, origin: Origin, tool: Tool
) -> None:
    paths = ("/npm/a/-/a-1.0.0.tgz", "/npm/@s%2fb/-/b-1.0.0.tgz", "/own/@own%2fc/-/c-1.0.0.tgz", "/else/d.tgz")
    urls = [serve_page(origin, path) for path in paths]
    base = urls[0].removesuffix(paths[0])
    configured_yarn(tool, f"{base}/npm", json.dumps({"own": {"npmRegistryServer": f"{base}/own/"}}))
    archive = urls[3].replace(":", "%3A").replace("/", "%2F")
    text = lock_of(
        entry("a@npm:^1.0.0, a@npm:~1.0.0", "a@npm:1.0.0"),
        entry("@s/b@npm:^1.0.0", "@s/b@npm:1.0.0"),
        entry("@own/c@npm:*", "@own/c@npm:1.0.0"),
        entry("d@npm:1.0.0", f"d@npm:1.0.0::__archiveUrl={archive}"),
        entry("project@workspace:.", "project@workspace:."),
    )
    assert warmed(tmp_path, written(tmp_path, "yarn.lock", text)) == fetched(*urls)
    [request] = origin.requests_for("/npm/a/-/a-1.0.0.tgz")
    assert request.fields["accept-encoding"] == "gzip, deflate, br"


def test_optional_packages_for_other_machines_are_left_out(tmp_path: Path, origin: Origin, tool: Tool) -> None:
    urls = [serve_page(origin, f"/{name}/-/{name}-1.0.0.tgz") for name in ("here", "patched")]
    configured_yarn(tool, urls[0].removesuffix("/here/-/here-1.0.0.tgz"))
    optional = "".join(f"    {name}:\n      optional: true\n" for name in ("elsewhere", "here", "patched"))
    needs = "".join(f'    {name}: "npm:1.0.0"\n' for name in ("elsewhere", "here", "patched"))
    elsewhere = f"  conditions: os={OTHER_SYSTEM} & cpu=x64\n"
    text = lock_of(
        entry(
            "project@workspace:.",
            "project@workspace:.",
            f"  dependencies:\n{needs}  dependenciesMeta:\n{optional}",
        ),
        entry("elsewhere@npm:1.0.0", "elsewhere@npm:1.0.0", elsewhere),
        entry("here@npm:1.0.0", "here@npm:1.0.0", f"  conditions: (os={OTHER_SYSTEM} | os={sys.platform})\n"),
        # as Yarn itself does with fsevents: it fetches what it patches
        entry("patched@npm:1.0.0", "patched@npm:1.0.0", elsewhere),
        entry("patched@patch:patched@npm%3A1.0.0#optional!builtin<x>", "patched@patch:patched@npm%3A1.0.0", elsewhere),
    )
    assert warmed(tmp_path, written(tmp_path, "yarn.lock", text)) == fetched(*urls)


def test_packages_from_git_are_named(tmp_path: Path, tool: Tool) -> None:
    configured_yarn(tool, "http://own.test")
    text = lock_of(entry("f@https://git.test/f.git", "f@https://git.test/f.git#commit=0123"))
    [line] = warmed(tmp_path, written(tmp_path, "yarn.lock", text), code=1)
    assert line == ["failed", "f", "it comes from a Git repository: clone it through the proxy"]
