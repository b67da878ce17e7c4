"""Commands on recordings: list, remove, diff, scrub."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from addon.recordings.library import RecordingLibrary
from tests.addon.recordings.libraries import JSON, contents_of, put, record_all_kinds
from tests.fixtures.command_line import secondhand


def test_recordings_are_listed_and_removed(tmp_path: Path, library: RecordingLibrary) -> None:
    assert "there are no recordings" in secondhand("recordings", "list").stderr
    record_all_kinds(library, "all")
    [listed] = json.loads(secondhand("recordings", "list", "--json").stdout)
    assert (listed["name"], listed["responses"]) == ("all", 12)
    assert secondhand("recordings", "remove", "all").stdout == "all is gone\n"
    assert list((tmp_path / "store" / "recordings").iterdir()) == []
    again = secondhand("recordings", "remove", "all")
    assert (again.exit_code, again.stderr) == (
        3,
        "secondhand: there is no recording all; existing recordings: none; "
        "create one with: secondhand run --record all -- COMMAND\n",
    )


@pytest.mark.parametrize("name", ["../store", ".hidden", "a/b", "", "a" * 65, "a b"])
def test_a_path_is_not_a_valid_name(name: str) -> None:
    result = secondhand("recordings", "remove", name)
    assert result.exit_code == 2
    assert "expected a name of letters, digits" in result.stderr


def test_store_commands_read_a_recording(tmp_path: Path, library: RecordingLibrary) -> None:
    record_all_kinds(library, "all")
    listed = secondhand("ls", "binary", "--store", tmp_path / "store" / "recordings" / "all").stdout
    assert "http://a.test/binary" in listed


def test_record_and_replay_fail_without_a_running_proxy() -> None:
    for command in ("record", "replay"):
        result = secondhand(command, "demo")
        assert result.exit_code == 1
        assert f"/store: secondhand serve --{command} demo" in result.stderr
        assert secondhand(command).exit_code == 2
        assert secondhand(command, "demo", "--stop").exit_code == 2


def test_diff_lists_missing_responses_fields_and_contents(library: RecordingLibrary) -> None:
    with library.create("a") as store:
        put(store, "http://a.test/same", b"same", "Age: 1")
        put(store, "http://a.test/other", b"one", "Server: A", "X-One: 1")
        put(store, "http://a.test/only-a")
    with library.create("b") as store:
        put(store, "http://a.test/same", b"same", "Age: 2")
        put(store, "http://a.test/other", b"two", "Server: B")
    result = secondhand("diff", "a", "b", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    differences = [(each["url"][13:], each["what"], each["first"], each["second"]) for each in report]
    assert differences[0] == ("/only-a", "only", "there", None)
    assert [each[1] for each in differences[1:]] == ["server", "x-one", "content"]
    assert differences[1] == ("/other", "server", "A", "B")


def test_a_full_disk_evicts_nothing_from_a_recording(library: RecordingLibrary) -> None:
    record_all_kinds(library, "all")
    with library.opened("all") as store:
        assert not store.make_room()
        assert store.statistics().entries == 12


def test_scrubbing_removes_secrets_from_all_files(tmp_path: Path, library: RecordingLibrary) -> None:
    with library.create("demo") as store:
        secret = json.dumps({"user": {"Token": "s3cr3t"}, "list": [{"token": ["s3cr3t"]}], "kept": "é"}).encode()
        validators = ('ETag: "1"', "Last-Modified: Fri, 06 Nov 2026 21:00:00 GMT", "Accept-Ranges: bytes")
        put(store, "http://a.test/json", secret, JSON, *validators, "Repr-Digest: sha-256=:AAAA:")
        put(store, "http://a.test/coded", gzip.compress(secret), JSON, "Content-Encoding: gzip", 'ETag: "2"')
        put(store, "http://a.test/field", b"hello", "X-Api-Key: s3cr3t", 'ETag: "3"')
        put(store, "http://a.test/clean", b'{"kept": 1}', JSON, 'ETag: "4"')
    report = json.loads(secondhand("scrub", "demo", "--field", "token", "--field", "x-api-key", "--json").stdout)
    assert (report["responses"], report["places"]) == (3, 5)
    for file in (tmp_path / "store" / "recordings").rglob("*"):
        assert file.is_dir() or b"s3cr3t" not in file.read_bytes()
    entries = {entry.key.removeprefix("http://a.test/"): (entry, body) for entry, body in contents_of(library, "demo")}
    for name in ("json", "coded"):
        entry, body = entries[name]
        assert json.loads(body) == {"user": {"Token": "scrubbed"}, "list": [{"token": "scrubbed"}], "kept": "é"}
        # scrubbed content is another representation: the origin's validators and digests must not describe it
        assert {name for name, _ in entry.head.fields} == {"Date", "Content-Type", "Content-Length"}
        assert entry.scrubbed
    recording = tmp_path / "store" / "recordings" / "demo"
    assert (
        "scrubbed: this proxy removed secrets from it"
        in secondhand("show", "http://a.test/json", "--store", recording).stdout
    )
    assert json.loads(secondhand("show", "http://a.test/json", "--store", recording, "--json").stdout)[0]["scrubbed"]
    why = secondhand("why", "http://a.test/json", "--store", recording).stdout
    assert "scrubbed (secrets were removed)" in why
    assert "decision: forward, scrubbed" in why
    assert entries["field"][0].head.fields.get("etag") == '"3"'
    assert entries["field"][0].scrubbed
    assert not entries["clean"][0].scrubbed
    assert entries["clean"][0].head.fields.get("etag") == '"4"'
    assert secondhand("scrub", "demo", "--field", "token", "--field", "nothing").exit_code == 0
    assert secondhand("scrub", "demo", "--field", "nothing").exit_code == 3


def test_scrubbing_removes_request_fields_and_merges_responses(tmp_path: Path, library: RecordingLibrary) -> None:
    def varying_by(key: str | None, language: str) -> dict[str, object]:
        return {"vary": (("accept-language", language), ("x-api-key", key))}

    with library.create("demo") as store:
        vary = "Vary: Accept-Language, X-API-Key"
        for key, language in (("s3cr3t", "en"), ("s3cr3t", "de"), ("s3cr3t too", "de"), (None, "fr")):
            put(
                store,
                "http://a.test/a",
                f"{key} {language}".replace("s3cr3t", "-").encode(),
                vary,
                **varying_by(key, language),
            )
        put(store, "http://a.test/b", b"b", "Vary: X-API-Key", vary=(("x-api-key", "s3cr3t"),))
    report = json.loads(secondhand("scrub", "demo", "--field", "X-Api-Key", "--json").stdout)
    assert (report["responses"], report["places"], report["merged"]) == (4, 4, 1)
    for file in (tmp_path / "store" / "recordings").rglob("*"):
        assert file.is_dir() or b"s3cr3t" not in file.read_bytes()
    contents = contents_of(library, "demo")
    responses = {(entry.key, entry.vary, entry.head.fields.get("vary"), body) for entry, body in contents}
    assert responses == {
        ("http://a.test/a", (("accept-language", "en"),), "Accept-Language", b"- en"),
        ("http://a.test/a", (("accept-language", "de"),), "Accept-Language", b"- too de"),
        ("http://a.test/a", (("accept-language", "fr"), ("x-api-key", None)), "Accept-Language, X-API-Key", b"None fr"),
        ("http://a.test/b", (), None, b"b"),
    }


def test_scrubbing_replaces_every_repeated_member(tmp_path: Path, library: RecordingLibrary) -> None:
    with library.create("demo") as store:
        put(store, "http://a.test/a", b'{"token": "s3cr3t", "n": 1.0, "token": "s3cr3t too"}', JSON)
    report = json.loads(secondhand("scrub", "demo", "--field", "token", "--json").stdout)
    assert report["places"] == 2
    [(_, body)] = contents_of(library, "demo")
    assert body == b'{"token": "scrubbed", "n": 1.0, "token": "scrubbed"}'
    for file in (tmp_path / "store" / "recordings").rglob("*"):
        assert file.is_dir() or b"s3cr3t" not in file.read_bytes()


def test_scrubbing_fails_on_json_that_cannot_be_read(library: RecordingLibrary) -> None:
    with library.create("demo") as store:
        put(store, "http://a.test/a", b'{"token": 1}', JSON)
        put(store, "http://a.test/b", b'{"token": ', JSON)
    before = contents_of(library, "demo")
    result = secondhand("scrub", "demo", "--field", "token")
    assert result.exit_code == 1
    assert "http://a.test/b: the JSON cannot be read" in result.stderr
    assert contents_of(library, "demo") == before
