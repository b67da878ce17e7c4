"""Malicious and damaged files: the import reports the position, creates no recording, and writes no other file."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from addon.recordings.library import RecordingLibrary
from tests.addon.recordings.libraries import record_all_kinds
from tests.fixtures.command_line import secondhand

EMPTY_DIGEST = hashlib.sha256(b"").hexdigest()


def assert_refused(tmp_path: Path, file: Path, why: str) -> None:
    before = {path for path in tmp_path.rglob("*") if "store" not in path.parts}
    result = secondhand("import", file, "--name", "evil")
    assert result.exit_code == 1, result.output
    assert why in result.stderr
    assert str(file) in result.stderr
    assert "evil" not in secondhand("recordings", "list").stdout
    assert {path for path in tmp_path.rglob("*") if "store" not in path.parts} == before
    assert list((tmp_path / "store" / "recordings").iterdir()) == []  # not even a draft


# ---- HAR


def har(entry: Mapping[str, object]) -> str:
    """Return a HAR with one entry, which is valid but for these members."""
    complete = {
        "startedDateTime": "2026-11-06T12:00:00Z",
        "time": 1,
        "request": {"method": "GET", "url": "http://a.test/"},
        "response": {"status": 200},
        **entry,
    }
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "a", "version": "1"}, "entries": [complete]}})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"log": ', "Input data was truncated"),
        ("{" * 100_000, "expected a HAR"),
        ('{"log": {"entries": []}}', "missing required field `version` - at `$.log`"),
        (har({"time": "soon"}), "Expected `float`, got `str` - at `$.log.entries[0].time`"),
        (har({"startedDateTime": "yesterday"}), "$.log.entries[0]: Invalid isoformat string"),
        (har({"time": 1e300}), "1e+300 ms is not a valid time"),
        (har({"startedDateTime": "0001-01-01T00:00:00+23:00"}), "$.log.entries[0]: "),
        (har({"request": {"method": "GET", "url": "http://[/"}}), "$.log.entries[0]: "),
        (har({"response": {"status": 200, "content": {"text": "###", "encoding": "base64"}}}), "expected base64"),
        (har({"response": {"status": 200, "content": {"text": "a", "encoding": "rot13"}}}), 'found "rot13"'),
        (
            har({"response": {"status": 200, "headers": [{"name": "a b", "value": "c"}]}}),
            "expected a field name",
        ),
        (
            har({"response": {"status": 200, "headers": [{"name": "a\nsecondhand: done", "value": "c"}]}}),
            'expected a field name, found "a\\nsecondhand: done"',
        ),
        (har({"response": {"status": 200, "headers": [{"name": "a", "value": "c\r\nb: d"}]}}), "$.log.entries[0]: "),
        (har({"request": {"method": "G T", "url": "http://a.test/"}}), None),
    ],
)
def test_an_invalid_har_is_refused(tmp_path: Path, text: str, why: str | None) -> None:
    file = tmp_path / "evil.har"
    file.write_text(text)
    if why is None:  # a response that no recording holds is skipped
        assert "left out" in secondhand("import", file).stderr
    else:
        assert_refused(tmp_path, file, why)


# ---- WARC


@pytest.fixture
def warc(tmp_path: Path, library: RecordingLibrary) -> bytes:
    record_all_kinds(library, "all")
    file = tmp_path / "all.warc.gz"
    secondhand("export", "all", "--format", "warc", "--out", file)
    secondhand("recordings", "remove", "all")
    return file.read_bytes()


def test_a_truncated_warc_is_refused(tmp_path: Path, warc: bytes) -> None:
    file = tmp_path / "evil.warc"
    plain = gzip.decompress(warc)
    file.write_bytes(plain[: plain.index(b"WARC-Type: request") - 300])
    assert_refused(tmp_path, file, "record ")


def test_a_compressed_warc_that_ends_within_a_record_is_refused(tmp_path: Path, warc: bytes) -> None:
    file = tmp_path / "evil.warc.gz"
    second_record = warc.index(b"\x1f\x8b", 1)
    for end in (40, second_record + 40, len(warc) - 1):
        file.write_bytes(warc[:end])
        assert_refused(tmp_path, file, "the file ends before the end of this record")


def test_a_warc_that_ends_within_a_record_of_no_response_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "evil.warc"
    file.write_bytes(b"WARC/1.1\r\nWARC-Type: metadata\r\nContent-Length: 10\r\n\r\nhello")
    assert_refused(tmp_path, file, "record 1: expected a WARC record: the file ends 5 bytes before the end")


def test_a_warc_with_changed_content_is_refused(tmp_path: Path, warc: bytes) -> None:
    file = tmp_path / "evil.warc"
    file.write_bytes(gzip.decompress(warc).replace(b"hallo", b"hullo"))
    assert_refused(tmp_path, file, "digest")


def test_a_warc_with_a_very_long_line_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "evil.warc.gz"
    file.write_bytes(gzip.compress(b"WARC/1.1\r\nWARC-Type: response\r\nX: " + b"a" * 50_000_000))
    assert_refused(tmp_path, file, "record 1: a line of more than 65536 bytes in a head")


@pytest.mark.parametrize(
    "content",
    [b"WARC/9.9\r\n\r\n", gzip.compress(b"hello"), b"\x1f\x8bhello"],
    ids=["unknown version", "other gzip", "invalid gzip"],
)
def test_a_file_that_only_begins_like_a_warc_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "evil.warc"
    file.write_bytes(content)
    assert_refused(tmp_path, file, "record 1: expected a WARC record")


def record(*fields: bytes, block: bytes) -> bytes:
    """Return a WARC with a response record that has these fields and this block."""
    lines = [b"WARC/1.1", b"WARC-Type: response", b"WARC-Target-URI: http://a.test/", b"WARC-Record-ID: <urn:a>"]
    return b"\r\n".join([*lines, b"WARC-Date: 2026-11-06T12:00:00Z", *fields, b"", block, b"", b""])


def test_a_warc_with_a_response_that_is_not_http_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "evil.warc"
    file.write_bytes(record(b"Content-Length: 5", block=b"hello"))
    assert_refused(tmp_path, file, "record 1: expected a WARC record: Expected Status Line")


@pytest.mark.parametrize("algorithm", [b"sha\x001", b"shake_128"])
def test_a_warc_with_a_digest_that_cannot_be_computed_is_refused(tmp_path: Path, algorithm: bytes) -> None:
    file = tmp_path / "evil.warc"
    block = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nhello"
    digest, length = b"WARC-Payload-Digest: %b:AAAA" % algorithm, b"Content-Length: %d" % len(block)
    file.write_bytes(record(digest, length, block=block))
    assert_refused(tmp_path, file, "expected a WARC record: ")


def test_a_warc_with_a_record_without_a_length_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "evil.warc"
    file.write_bytes(record(block=b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nhello"))
    assert_refused(tmp_path, file, "record 1: expected a Content-Length")


def bomb(length: int) -> bytes:
    """Return a small compressed WARC with one content of `length` bytes."""
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    record = (
        b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/\r\nWARC-Date: 2026-11-06T12:00:00Z\r\n"
        b"WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: application/http; msgtype=response\r\n"
        b"Content-Length: %d\r\n\r\n" % (len(head) + length)
    )
    return gzip.compress(record + head + bytes(length) + b"\r\n\r\n")


def test_a_warc_beyond_the_limit_of_one_content_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__MAX_OBJECT", "1 MB")
    file = tmp_path / "evil.warc.gz"
    file.write_bytes(bomb(50_000_000))
    assert_refused(tmp_path, file, "record 1: the content is longer than 1000000 bytes (store.max_object)")


def test_a_warc_beyond_the_limit_of_all_contents_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__MAX_SIZE", "5 MB")
    monkeypatch.setenv("SECONDHAND_STORE__MAX_OBJECT", "1 MB")
    file = tmp_path / "evil.warc.gz"
    file.write_bytes(bomb(900_000) * 6)
    assert_refused(tmp_path, file, "record 6: all contents together are longer than 5000000 bytes (store.max_size)")


# ---- folders and ZIPs


def manifest(**changes: object) -> str:
    """Return a manifest with one exchange, which is valid but for these members."""
    exchange = {
        "method": "GET",
        "url": "http://a.test/",
        "request_fields": [],
        "status": 200,
        "reason": "OK",
        "version": "HTTP/1.1",
        "fields": [],
        "request_time": 1,
        "response_time": 1,
        "content": EMPTY_DIGEST,
        "length": 0,
        **changes,
    }
    return json.dumps({"format": "secondhand recording", "version": 1, "exchanges": [exchange]})


def folder(tmp_path: Path, text: str, content: bytes = b"") -> Path:
    path = tmp_path / "evil"
    (path / "contents").mkdir(parents=True)
    (path / "manifest.json").write_text(text)
    (path / "contents" / EMPTY_DIGEST).write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (manifest(content="../../../../etc/passwd"), "at `$.exchanges[0].content`"),
        (manifest(content="/etc/passwd"), "at `$.exchanges[0].content`"),
        (manifest(length=5), "does not match its declared length or digest"),
        (manifest(url="file:///etc/passwd"), "expected a URL like"),
        (manifest(url="http://./"), "expected a URL like"),
        (manifest(fields=[["A", "b\r\nC: d"]]), "$.exchanges[0]: "),
        (manifest(request_time=-1), "at `$.exchanges[0].request_time`"),
        (manifest(surprise=1), "unknown field `surprise`"),
        ("{}", "missing required field `format`"),
        ("{", "Input data was truncated"),
    ],
)
def test_a_folder_with_an_invalid_manifest_is_refused(tmp_path: Path, text: str, why: str) -> None:
    assert_refused(tmp_path, folder(tmp_path, text), why)


def test_a_folder_whose_content_has_another_digest_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path, manifest(length=6), b"secret")
    assert_refused(tmp_path, path, "does not match its declared length or digest")


def test_a_folder_with_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path, manifest())
    (path / "contents" / EMPTY_DIGEST).unlink()
    (path / "contents" / EMPTY_DIGEST).symlink_to("/dev/zero")
    assert_refused(tmp_path, path, "cannot be read")


def zipped(tmp_path: Path, write: Callable[[zipfile.ZipFile], None]) -> Path:
    file = tmp_path / "evil.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        write(archive)
    return file


def test_a_zip_with_paths_outside_its_folder_is_refused(tmp_path: Path) -> None:
    def write(archive: zipfile.ZipFile) -> None:
        archive.writestr("manifest.json", manifest())
        archive.writestr("../../outside", b"got you")
        archive.writestr("/tmp/outside", b"got you")

    assert_refused(tmp_path, zipped(tmp_path, write), "cannot be read")


def test_a_zip_bomb_is_not_decompressed_beyond_the_declared_length(tmp_path: Path) -> None:
    def write(archive: zipfile.ZipFile) -> None:
        archive.writestr("manifest.json", manifest(length=10))
        archive.writestr(f"contents/{EMPTY_DIGEST}", bytes(200_000_000))

    assert_refused(tmp_path, zipped(tmp_path, write), "longer than the expected 10 bytes")


def test_a_zip_without_a_manifest_or_with_two_is_refused(tmp_path: Path) -> None:
    assert_refused(
        tmp_path, zipped(tmp_path, lambda archive: archive.writestr("a", b"")), "expected one manifest.json, found 0"
    )

    def two(archive: zipfile.ZipFile) -> None:
        for top in "ab":
            archive.writestr(f"{top}/manifest.json", manifest())

    assert_refused(tmp_path, zipped(tmp_path, two), "expected one manifest.json, found 2")


# ---- other files


def test_a_file_of_no_known_format_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "evil.exe"
    file.write_bytes(b"MZ" + os.urandom(100))
    result = secondhand("import", file, "--name", "evil")
    assert (result.exit_code, "expected a HAR, a WARC" in result.stderr) == (1, True)
    result = secondhand("import", tmp_path / "none", "--name", "evil")
    assert (result.exit_code, "expected a file or folder to read" in result.stderr) == (1, True)
    assert secondhand("import", file, "--name", "../evil").exit_code == 2


def test_a_zip_with_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "packed.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("ä/manifest.json", "{}")
    file.write_bytes(file.read_bytes().replace("ä".encode(), b"\xbf\xbf"))
    assert_refused(tmp_path, file, "expected a ZIP")
