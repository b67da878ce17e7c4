"""Checksum files of Maven's resolver: every file of the repository that Maven used."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.lock_files import fetched, sha256, warmed, written
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

PATHS = ("org/x/a/1.0/a-1.0.pom", "org/x/a/1.0/a-1.0.jar")


def test_each_file_and_its_checksum(tmp_path: Path, origin: Origin) -> None:
    urls = [serve_page(origin, f"/maven2/{path}", path.encode()) for path in (*PATHS, f"{PATHS[0]}.sha1")]
    base = urls[0].removesuffix(f"/{PATHS[0]}")
    lines = "".join(f"{sha256(path.encode())}  {path}\n" for path in PATHS)
    file = written(tmp_path, ".mvn/checksums/checksums-central.sha256", f"# of Maven\n\n{lines}")
    absent = f"{base}/{PATHS[1]}.sha1"
    assert warmed(tmp_path, file, "--index", base) == fetched(*urls, absent)


def test_the_error_of_an_invalid_line_or_a_missing_repository(tmp_path: Path) -> None:
    file = written(tmp_path, "checksums.sha256", "0123  /etc/passwd\n")
    assert warmed(tmp_path, file, "--index", "http://a.test", code=1) == [
        ["failed", str(file), "line 1: expected a digest and the path of a file in the repository"]
    ]
    assert warmed(tmp_path, file, code=1) == [
        ["failed", str(file), "names no repository: expected its URL with --index"]
    ]
    file = written(tmp_path, "checksums.sha3", "")
    assert warmed(tmp_path, file, code=1) == [
        ["failed", str(file), "expected a name that ends in .sha1, .sha256, .sha512"]
    ]
