"""A damaged lock file of any format leads to an error that names it, or to URLs of HTTP, and to nothing else."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from addon.offline.wanted import Document, Missing, NotThereError, SourceError, Wanted
from addon.warm.lockfiles import formats
from addon.warm.lockfiles.lock_file import LockFile
from tests.addon.warm.conftest import Tool

URL = "http://files.test/a-1.0.tgz"
HASH = "sha256:" + "0" * 64

SAMPLES = {
    "requirements.txt": f"a==1.0 --hash={HASH}\n",
    "uv.lock": f'[[package]]\nname = "a"\nsource = {{ registry = "x" }}\nsdist = {{ url = "{URL}" }}\n',
    "poetry.lock": f'[[package]]\nname = "a"\nversion = "1"\nfiles = [{{file = "a-1.0.tar.gz", hash = "{HASH}"}}]\n'
    '[package.source]\ntype = "url"\nurl = "http://files.test/a"\n',
    "pdm.lock": f'[[package]]\nname = "a"\nversion = "1"\nfiles = [{{url = "{URL}", hash = "{HASH}"}}]\n',
    "pylock.toml": 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "a"\n'
    f'sdist = {{ name = "a-1.0.tar.gz", url = "{URL}", hashes = {{ sha256 = "00" }} }}\n',
    "package-lock.json": json.dumps(
        {"packages": {"node_modules/a": {"version": "1", "resolved": URL, "os": ["linux"]}}}
    ),
    "yarn.lock": f'a@^1:\n  version "1.0.0"\n  resolved "{URL}#00"\n  integrity sha512-AA==\n',
    "pnpm-lock.yaml": f"lockfileVersion: 9\npackages:\n  a@1.0.0:\n    resolution: {{integrity: x, tarball: {URL}}}\n",
    "bun.lock": '{"packages": {"a": ["a@1.0.0", "", {"os": "linux"}, "sha512-AA=="],},}',
    "Cargo.lock": '[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "sparse+http://i.test/"\nchecksum = "00"\n',
    "go.sum": f"a.test/a v1.0.0 h1:{'A' * 43}=\n",
    "Gemfile.lock": "GEM\n  remote: http://gems.test/\n  specs:\n    a (1.0)\n      b (>= 1)\n    b (1.0-java)\n",
    "composer.lock": json.dumps({"packages": [{"name": "a/b", "dist": {"type": "zip", "url": URL, "shasum": "0"}}]}),
    "gradle.lockfile": "org.x:a:1.0=runtimeClasspath\n",
    "verification-metadata.xml": '<verification-metadata><components><component group="g" name="a" version="1">'
    '<artifact name="a-1.jar"><sha256 value="00"/></artifact></component></components></verification-metadata>',
    "lockfile.json": json.dumps(
        {
            "lockFileVersion": 1,
            "dependencies": [
                {"groupId": "g", "artifactId": "a", "version": "1", "resolved": "http://m.test/g/a/1/a.jar"}
            ],
        }
    ),
    "checksums.sha256": "00  org/x/a/1.0/a-1.0.jar\n",
}
BERRY = (
    '__metadata:\n  version: 8\n"a@npm:^1":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0"\n  conditions: os=linux\n'
)

PIECES = (
    "",
    "[",
    "]",
    "{",
    '"',
    ":",
    "=",
    "-",
    "null",
    "1",
    "{}",
    "http://[",
    "file:///etc/passwd",
    "é",
    "\x00",
    "../",
)


async def read(wanted: Wanted) -> Document:
    if wanted.uri.endswith(".pom"):
        return Document(wanted.uri, b"<project/>", "text/xml")
    raise NotThereError(f"{wanted.uri}: not there")


def test_every_reader_has_a_sample() -> None:
    sampled = {found.reader for name in SAMPLES if (found := formats.format_of(name))}
    assert {each.reader for each in formats.FORMATS} - sampled == {"bun_lockb"}


@pytest.mark.parametrize(
    ("name", "text"), [*SAMPLES.items(), ("yarn.lock", BERRY)], ids=[*SAMPLES, "yarn.lock of Yarn 2"]
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_an_error_that_names_the_file(tool: Tool, name: str, text: str, data: st.DataObject) -> None:
    configuration = json.dumps({"registry": "http://npm.test/", "userAgent": "pnpm/11"})
    for program in ("npm", "pnpm"):
        tool(program, f"echo '{configuration}'")
    tool("yarn", "echo http://npm.test")
    for program in ("pip", "go", "pdm"):
        tool(program, "echo http://index.test")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 12)))
    damaged = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.write_text(damaged)
        try:
            found = asyncio.run(formats.found_in(LockFile(file, read, ("http://repository.test",))))
        except SourceError:
            return
    for each in found:
        assert isinstance(each, Missing) or each.uri.startswith(("http://", "https://"))
