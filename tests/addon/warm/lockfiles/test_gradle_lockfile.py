"""gradle.lockfile: the modules, from the repositories on the command line."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.lock_files import fetched, warmed, written
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

LOCK = "# This is a Gradle generated file\norg.x:a:1.0=compileClasspath,runtimeClasspath\nempty=annotationProcessor\n"


def test_metadata_and_jars(tmp_path: Path, origin: Origin) -> None:
    names = ("a-1.0.pom", "a-1.0.jar")
    urls = [serve_page(origin, f"/maven2/org/x/a/1.0/{name}", b"<project/>") for name in names]
    base = urls[0].removesuffix("/maven2/org/x/a/1.0/a-1.0.pom")
    absent = f"{base}/first/org/x/a/1.0/a-1.0.pom"
    options = ("--index", f"{base}/first", "--index", f"{base}/maven2/")
    assert warmed(tmp_path, written(tmp_path, "gradle.lockfile", LOCK), *options) == fetched(absent, *urls)


def test_without_a_repository_the_error_says_how_to_name_one(tmp_path: Path) -> None:
    [line] = warmed(tmp_path, written(tmp_path, "gradle.lockfile", LOCK), code=1)
    assert line[2] == "names no repository: expected the URL of each with --index, in Gradle's order"


def test_a_module_in_no_repository_is_named(tmp_path: Path, origin: Origin) -> None:
    base = serve_page(origin, "/x").removesuffix("/x")
    [line] = warmed(tmp_path, written(tmp_path, "gradle.lockfile", LOCK), "--index", base, code=1)
    assert line == ["failed", "org.x:a:1.0", f"{base}/org/x/a/1.0/a-1.0.pom: the origin says 404 Not Found"]
