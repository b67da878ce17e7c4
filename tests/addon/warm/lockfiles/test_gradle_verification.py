"""gradle/verification-metadata.xml: the listed files, and the metadata of their modules."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.lock_files import fetched, sha256, warmed, written
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

NAMES = ("a-1.0.pom", "a-1.0.jar", "a-1.0-sources.jar")


def text_of(jar: str) -> str:
    return (
        '<verification-metadata xmlns="https://schema.gradle.org/dependency-verification">'
        "<configuration><verify-metadata>true</verify-metadata></configuration><components>"
        f'<component group="org.x" name="a" version="1.0"><artifact name="a-1.0.jar">{jar}</artifact>'
        '<artifact name="a-1.0-sources.jar"><sha256 value="00"><also-trust value="01"/></sha256></artifact>'
        "</component></components></verification-metadata>"
    )


def test_listed_files_are_fetched_and_checked(tmp_path: Path, origin: Origin) -> None:
    urls = [serve_page(origin, f"/org/x/a/1.0/{name}", b"<project/>") for name in NAMES]
    base = urls[0].removesuffix("/org/x/a/1.0/a-1.0.pom")
    file = written(tmp_path, "gradle/verification-metadata.xml", text_of(f'<sha256 value="{sha256(b"other")}"/>'))
    lines = warmed(tmp_path, file, "--index", base, code=1)
    assert [line[1] for line in lines if line[0] == "failed"] == [urls[1]]
    file = written(tmp_path, "verification-metadata.xml", text_of(f'<sha256 value="{sha256(b"<project/>")}"/>'))
    assert warmed(tmp_path, file, "--index", base) == sorted(
        [["fresh", urls[0]], ["fetched", urls[1]], ["fresh", urls[2]]]
    )


def test_the_pom_is_fetched_though_gradle_was_told_not_to_verify_it(tmp_path: Path, origin: Origin) -> None:
    urls = [serve_page(origin, f"/org/x/a/1.0/{name}", b"<project/>") for name in NAMES]
    base = urls[0].removesuffix("/org/x/a/1.0/a-1.0.pom")
    file = written(tmp_path, "verification-metadata.xml", text_of(""))
    assert warmed(tmp_path, file, "--index", base) == fetched(*urls)
