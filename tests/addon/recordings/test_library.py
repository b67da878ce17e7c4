"""What the commands do to recordings: list, remove, compare, scrub."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from addon.recordings.library import RecordingLibrary
from tests.addon.recordings.libraries import JSON, held, keep, record_all_kinds, secondhand


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
        "secondhand: there is no recording all; recordings: none, secondhand run --record all -- COMMAND makes one\n",
    )


@pytest.mark.parametrize("name", ["../store", ".hidden", "a/b", "", "a" * 65, "a b"])
def test_a_name_is_no_path(name: str) -> None:
    result = secondhand("recordings", "remove", name)
    assert result.exit_code == 2
    assert "expected a name of letters, digits" in result.stderr


def test_a_recording_is_a_store_like_any_other(tmp_path: Path, library: RecordingLibrary) -> None:
    record_all_kinds(library, "all")
    listed = secondhand("ls", "binary", "--store", tmp_path / "store" / "recordings" / "all").stdout
    assert "http://a.test/binary" in listed


def test_nothing_is_recorded_or_replayed_without_a_proxy() -> None:
    for command in ("record", "replay"):
        result = secondhand(command, "demo")
        assert result.exit_code == 1
        assert f"/store: secondhand serve --{command} demo" in result.stderr
        assert secondhand(command).exit_code == 2
        assert secondhand(command, "demo", "--stop").exit_code == 2


def test_diff_says_what_differs(library: RecordingLibrary) -> None:
    with library.made("a") as store:
        keep(store, "http://a.test/same", b"same", "Age: 1")
        keep(store, "http://a.test/other", b"one", "Server: A", "X-One: 1")
        keep(store, "http://a.test/only-a")
    with library.made("b") as store:
        keep(store, "http://a.test/same", b"same", "Age: 2")
        keep(store, "http://a.test/other", b"two", "Server: B")
    result = secondhand("diff", "a", "b", "--json")
    assert result.exit_code == 1
    found = [(each["url"][13:], each["what"], each["first"], each["second"]) for each in json.loads(result.stdout)]
    assert found[0] == ("/only-a", "only", "there", None)
    assert [each[1] for each in found[1:]] == ["server", "x-one", "content"]
    assert found[1] == ("/other", "server", "A", "B")


def test_a_full_disk_evicts_nothing_from_a_recording(library: RecordingLibrary) -> None:
    record_all_kinds(library, "all")
    with library.opened("all") as store:
        assert not store.make_room()
        assert store.statistics().entries == 12


def test_scrubbing_leaves_no_octet_of_a_secret(tmp_path: Path, library: RecordingLibrary) -> None:
    with library.made("demo") as store:
        secret = json.dumps({"user": {"Token": "s3cr3t"}, "list": [{"token": ["s3cr3t"]}], "kept": "é"}).encode()
        validators = ('ETag: "1"', "Last-Modified: Fri, 06 Nov 2026 21:00:00 GMT", "Accept-Ranges: bytes")
        keep(store, "http://a.test/json", secret, JSON, *validators, "Repr-Digest: sha-256=:AAAA:")
        keep(store, "http://a.test/coded", gzip.compress(secret), JSON, "Content-Encoding: gzip", 'ETag: "2"')
        keep(store, "http://a.test/field", b"hello", "X-Api-Key: s3cr3t", 'ETag: "3"')
        keep(store, "http://a.test/clean", b'{"kept": 1}', JSON, 'ETag: "4"')
    said = json.loads(secondhand("scrub", "demo", "--field", "token", "--field", "x-api-key", "--json").stdout)
    assert (said["responses"], said["places"]) == (3, 5)
    for file in (tmp_path / "store" / "recordings").rglob("*"):
        assert file.is_dir() or b"s3cr3t" not in file.read_bytes()
    entries = {entry.key.removeprefix("http://a.test/"): (entry, body) for entry, body in held(library, "demo")}
    for name in ("json", "coded"):
        entry, body = entries[name]
        assert json.loads(body) == {"user": {"Token": "scrubbed"}, "list": [{"token": "scrubbed"}], "kept": "é"}
        # another representation: nothing of the origin's names it any more
        assert {name for name, _ in entry.head.fields} == {"Date", "Content-Type", "Content-Length"}
        assert entry.scrubbed
    place = tmp_path / "store" / "recordings" / "demo"
    assert (
        "scrubbed: something was taken out of it here"
        in secondhand("show", "http://a.test/json", "--store", place).stdout
    )
    assert json.loads(secondhand("show", "http://a.test/json", "--store", place, "--json").stdout)[0]["scrubbed"]
    why = secondhand("why", "http://a.test/json", "--store", place).stdout
    assert "scrubbed (secrets were removed)" in why
    assert "decision: forward, scrubbed" in why
    assert entries["field"][0].head.fields.get("etag") == '"3"'
    assert entries["field"][0].scrubbed
    assert not entries["clean"][0].scrubbed
    assert entries["clean"][0].head.fields.get("etag") == '"4"'
    assert secondhand("scrub", "demo", "--field", "token", "--field", "nothing").exit_code == 0
    assert secondhand("scrub", "demo", "--field", "nothing").exit_code == 3


def test_scrubbing_takes_out_what_requests_are_told_apart_by(tmp_path: Path, library: RecordingLibrary) -> None:
    def asked(key: str | None, language: str) -> dict[str, object]:
        return {"vary": (("accept-language", language), ("x-api-key", key))}

    with library.made("demo") as store:
        varying = "Vary: Accept-Language, X-API-Key"
        for key, language in (("s3cr3t", "en"), ("s3cr3t", "de"), ("s3cr3t too", "de"), (None, "fr")):
            keep(
                store,
                "http://a.test/a",
                f"{key} {language}".replace("s3cr3t", "-").encode(),
                varying,
                **asked(key, language),
            )
        keep(store, "http://a.test/b", b"b", "Vary: X-API-Key", vary=(("x-api-key", "s3cr3t"),))
    said = json.loads(secondhand("scrub", "demo", "--field", "X-Api-Key", "--json").stdout)
    assert (said["responses"], said["places"], said["merged"]) == (4, 4, 1)
    for file in (tmp_path / "store" / "recordings").rglob("*"):
        assert file.is_dir() or b"s3cr3t" not in file.read_bytes()
    found = {(entry.key, entry.vary, entry.head.fields.get("vary"), body) for entry, body in held(library, "demo")}
    assert found == {
        ("http://a.test/a", (("accept-language", "en"),), "Accept-Language", b"- en"),
        ("http://a.test/a", (("accept-language", "de"),), "Accept-Language", b"- too de"),
        ("http://a.test/a", (("accept-language", "fr"), ("x-api-key", None)), "Accept-Language, X-API-Key", b"None fr"),
        ("http://a.test/b", (), None, b"b"),
    }


def test_scrubbing_finds_a_name_each_time_that_an_object_repeats_it(tmp_path: Path, library: RecordingLibrary) -> None:
    with library.made("demo") as store:
        keep(store, "http://a.test/a", b'{"token": "s3cr3t", "n": 1.0, "token": "s3cr3t too"}', JSON)
    said = json.loads(secondhand("scrub", "demo", "--field", "token", "--json").stdout)
    assert said["places"] == 2
    [(_, body)] = held(library, "demo")
    assert body == b'{"token": "scrubbed", "n": 1.0, "token": "scrubbed"}'
    for file in (tmp_path / "store" / "recordings").rglob("*"):
        assert file.is_dir() or b"s3cr3t" not in file.read_bytes()


def test_what_cannot_be_read_is_not_called_clean(library: RecordingLibrary) -> None:
    with library.made("demo") as store:
        keep(store, "http://a.test/a", b'{"token": 1}', JSON)
        keep(store, "http://a.test/b", b'{"token": ', JSON)
    before = held(library, "demo")
    result = secondhand("scrub", "demo", "--field", "token")
    assert result.exit_code == 1
    assert "http://a.test/b: says it is JSON and cannot be read" in result.stderr
    assert held(library, "demo") == before
