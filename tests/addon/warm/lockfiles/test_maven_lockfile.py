"""lockfile.json: the artifacts and plugins at any depth, their POMs, and their checksums."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fixtures.lock_files import fetched, sha256, warmed, written
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

PARENT = b"<project><parent><groupId>org.x</groupId><artifactId>p</artifactId><version>1</version></parent></project>"


def artifact(name: str, url: str, content: bytes, **more: object) -> dict[str, object]:
    digest = {"checksumAlgorithm": "SHA-256", "checksum": sha256(content)}
    return {"groupId": "org.x", "artifactId": name, "version": "1", "resolved": url, **digest, **more}


def test_artifacts_with_their_poms_and_checksums(tmp_path: Path, origin: Origin) -> None:
    contents = {"a/1/a-1.jar": b"jar", "a/1/a-1.pom": PARENT, "p/1/p-1.pom": b"<project/>", "b/1/b-1.jar": b"plugin"}
    contents |= {"b/1/b-1.pom": b"<project/>"} | {f"{name}.sha1": b"00" for name in contents}
    urls = {name: serve_page(origin, f"/maven2/org/x/{name}", content) for name, content in contents.items()}
    plugin = artifact("b", urls["b/1/b-1.jar"], b"plugin")
    lock = {
        "lockFileVersion": 1,
        "dependencies": [{"groupId": "org.x", "children": [artifact("a", urls["a/1/a-1.jar"], b"jar")]}],
        "mavenPlugins": [plugin],
    }
    absent = f"{urls['b/1/b-1.pom']}.sha1"
    file = written(tmp_path, "lockfile.json", json.dumps(lock))
    assert warmed(tmp_path, file) == fetched(*urls.values(), absent)


def test_a_checksum_whose_algorithm_has_no_length_is_not_checked(tmp_path: Path, origin: Origin) -> None:
    names = ("jar", "jar.sha1", "pom", "pom.sha1")
    urls = [serve_page(origin, f"/maven2/org/x/a/1/a-1.{name}", b"<project/>") for name in names]
    lock = {"lockFileVersion": 1, "dependencies": [artifact("a", urls[0], b"", checksumAlgorithm="SHAKE_128")]}
    assert warmed(tmp_path, written(tmp_path, "lockfile.json", json.dumps(lock))) == fetched(*urls)


def test_artifacts_of_other_schemes_are_named(tmp_path: Path) -> None:
    lock = {"lockFileVersion": 1, "dependencies": [artifact("a", "file:///a.jar", b"")]}
    assert warmed(tmp_path, written(tmp_path, "lockfile.json", json.dumps(lock)), code=1) == [
        ["failed", "org.x:a:1", "it comes from file:///a.jar, which is no HTTP URL"]
    ]
