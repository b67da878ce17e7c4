"""Export and import of recordings in each format, and import of files that other programs wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from addon.recordings.library import RecordingLibrary
from tests.addon.recordings.libraries import HTML, RESPONSE_TIME, contents_of, record_all_kinds
from tests.fixtures.command_line import secondhand

FILE_NAMES = {"har": "all.har", "warc": "all.warc.gz", "dir": "all"}


def exported(tmp_path: Path, library: RecordingLibrary, form: str) -> Path:
    record_all_kinds(library, "all")
    out = tmp_path / FILE_NAMES[form]
    result = secondhand("export", "all", "--format", form, "--out", out)
    assert result.exit_code == 0, result.output
    return out


@pytest.mark.parametrize("form", FILE_NAMES)
def test_an_import_of_an_export_gives_the_same_recording(tmp_path: Path, library: RecordingLibrary, form: str) -> None:
    file = exported(tmp_path, library, form)
    result = secondhand("import", file, "--name", "again")
    assert result.stdout == "again holds 12 responses\n", result.output
    assert contents_of(library, "again") == contents_of(library, "all")
    assert secondhand("diff", "all", "again").exit_code == 0


def test_a_zip_of_an_exported_folder_is_imported(tmp_path: Path, library: RecordingLibrary) -> None:
    folder = exported(tmp_path, library, "dir")
    file = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, folder.name)
    assert secondhand("import", file).stdout == "packed holds 12 responses\n"
    assert contents_of(library, "packed") == contents_of(library, "all")


def test_an_exported_warc_passes_the_check_of_warcio(tmp_path: Path, library: RecordingLibrary) -> None:
    file = exported(tmp_path, library, "warc")
    command = [sys.executable, "-c", "from warcio.cli import main; main()", "check", "-v", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count("digest pass") == 25


def test_an_exported_har_has_all_mandatory_members_and_decoded_content(
    tmp_path: Path, library: RecordingLibrary
) -> None:
    log = json.loads(exported(tmp_path, library, "har").read_text())["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "secondhand")
    for entry in log["entries"]:
        assert entry.keys() >= {"startedDateTime", "time", "request", "response", "cache", "timings"}
        common = {"httpVersion", "cookies", "headers", "headersSize", "bodySize"}
        assert entry["request"].keys() >= common | {"method", "url", "queryString"}
        assert entry["response"].keys() >= common | {"status", "statusText", "content", "redirectURL"}
        assert entry["response"]["content"].keys() >= {"size", "mimeType", "text"}
    [html] = [each for each in log["entries"] if each["request"]["url"].endswith("/html?q=1")]
    assert html["request"]["queryString"] == [{"name": "q", "value": "1"}]
    content = html["response"]["content"]
    assert content["text"] == "<p>héllo</p>" * 100
    assert content["_octets"] == b64encode(HTML).decode()
    [binary] = [each for each in log["entries"] if each["request"]["url"].endswith("/binary")]
    assert binary["response"]["content"]["encoding"] == "base64"


@pytest.mark.parametrize("form", FILE_NAMES)
def test_an_export_never_overwrites_a_file(tmp_path: Path, library: RecordingLibrary, form: str) -> None:
    exported(tmp_path, library, form)
    again = secondhand("export", "all", "--format", form, "--out", tmp_path / FILE_NAMES[form])
    assert again.exit_code == 1
    assert f"{tmp_path / FILE_NAMES[form]} already exists" in again.stderr


# ---- files of other programs


def browser_entry(url: str, **response: object) -> dict[str, object]:
    return {
        "startedDateTime": "2026-11-06T12:00:00.000Z",
        "time": 12.5,
        "request": {"method": "GET", "url": url, "headers": [{"name": ":authority", "value": "a.test"}]},
        "response": {"status": 200, "statusText": "", "httpVersion": "h2", "headers": [], "content": {}, **response},
        "timings": {},
    }


def test_content_in_a_browsers_har_has_no_content_coding(tmp_path: Path, library: RecordingLibrary) -> None:
    headers = [
        {"name": "content-type", "value": "text/html"},
        {"name": "content-encoding", "value": "br"},
        {"name": "content-length", "value": "7"},
        {"name": "etag", "value": '"coded"'},
        {"name": "set-cookie", "value": "a=1\nb=2"},
    ]
    entries = [
        browser_entry(
            "https://a.test/", headers=headers, content={"size": 5, "mimeType": "text/html", "text": "hëllo"}
        ),
        browser_entry("data:text/plain,hello"),
        browser_entry("https://a.test/blocked", status=0),
        browser_entry("https://a.test/cached", status=304),
    ]
    file = tmp_path / "browser.har"
    file.write_text(
        json.dumps({"log": {"version": "1.2", "creator": {"name": "b", "version": "1"}, "entries": entries}})
    )
    result = secondhand("import", file, "--json")
    report = json.loads(result.stdout)
    assert (report["name"], report["responses"]) == ("browser", 1)
    assert [each["why"] for each in report["left_out"]] == [
        "data:text/plain,hello is not an HTTP URL",
        "https://a.test/blocked has no response",
        "its status is stored only with an explicit lifetime, or never",
    ]
    [(entry, body)] = contents_of(library, "browser")
    assert body == "hëllo".encode()
    assert [name for name, _ in entry.head.fields] == ["content-type", "Date"]


def test_the_digest_of_a_posts_content_is_computed(tmp_path: Path, library: RecordingLibrary) -> None:
    digest = sha256(b'{"query": 1}').hexdigest()
    entry = browser_entry("http://a.test/graphql", content={"text": "one"})
    entry["request"] = {"method": "POST", "url": "http://a.test/graphql", "postData": {"text": '{"query": 1}'}}
    har = tmp_path / "posts.har"
    log = {"version": "1.2", "creator": {"name": "b", "version": "1"}, "entries": [entry]}
    har.write_text(json.dumps({"log": log}))
    warc = tmp_path / "posts.warc"
    with warc.open("wb") as stream:
        writer = WARCWriter(stream, gzip=False)
        head = StatusAndHeaders("200 OK", [], protocol="HTTP/1.1")
        response_content = BytesIO(b"one")
        response = writer.create_warc_record(
            "http://a.test/graphql", "response", response_content, length=3, http_headers=head
        )
        request_head = StatusAndHeaders("/graphql HTTP/1.1", [("Host", "a.test")], protocol="POST")
        request_content = BytesIO(b'{"query": 1}')
        request = writer.create_warc_record(
            "http://a.test/graphql", "request", request_content, length=12, http_headers=request_head
        )
        request.rec_headers.add_header("WARC-Concurrent-To", response.rec_headers.get_header("WARC-Record-ID"))
        writer.write_record(response)
        writer.write_record(request)
    for file in (har, warc):
        assert secondhand("import", file, "--name", file.suffix[1:]).stdout.endswith("holds 1 response\n")
        [(stored, body)] = contents_of(library, file.suffix[1:])
        assert (stored.key, stored.method, body) == (f"http://a.test/graphql#content={digest}", "POST", b"one")


def test_a_warc_with_chunked_content_and_the_request_first(tmp_path: Path, library: RecordingLibrary) -> None:
    file = tmp_path / "archive.warc"
    with file.open("wb") as stream:
        writer = WARCWriter(stream, gzip=False)
        head = StatusAndHeaders("200 OK", [("Transfer-Encoding", "chunked"), ("Vary", "Accept")], protocol="HTTP/1.1")
        response = writer.create_warc_record(
            "http://a.test/", "response", payload=BytesIO(b"5\r\nhello\r\n0\r\n\r\n"), length=15, http_headers=head
        )
        request_head = StatusAndHeaders("/ HTTP/1.1", [("Accept", "text/html"), ("Cookie", "a=1")], protocol="GET")
        request = writer.create_warc_record("http://a.test/", "request", http_headers=request_head)
        request.rec_headers.add_header("WARC-Concurrent-To", response.rec_headers.get_header("WARC-Record-ID"))
        writer.write_record(request)
        writer.write_record(response)
        writer.write_record(
            writer.create_revisit_record("http://a.test/", "sha1:A", "http://a.test/", "2026-01-01T00:00:00Z", head)
        )
    report = json.loads(secondhand("import", file, "--json").stdout)
    assert (report["responses"], len(report["left_out"])) == (1, 1)
    [(entry, body)] = contents_of(library, "archive")
    assert body == b"hello"
    assert entry.vary == (("accept", "text/html"),)
    assert "Transfer-Encoding" not in entry.head.fields


def test_response_times_survive_export_and_import(tmp_path: Path, library: RecordingLibrary) -> None:
    secondhand("import", exported(tmp_path, library, "warc"), "--name", "again")
    with library.opened("again") as store:
        assert {entry.response_time for entry in store.entries()} == {RESPONSE_TIME}
