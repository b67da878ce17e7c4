"""The memory of responses that were too large to store, and the sentence about them."""

from __future__ import annotations

from pathlib import Path

from addon.pipeline.too_large import FILE_NAME, MAX_REMEMBERED, TooLargeResponse, TooLargeResponses

URI = "http://a.test/model.bin"


def of(uri: str = URI, length: int = 3 << 30, *, whole: bool = True) -> TooLargeResponse:
    return TooLargeResponse(uri, length, whole, 1 << 30)


def test_the_sentence_has_the_size_and_the_limit() -> None:
    assert "its content has 3 GiB, and at most 1 GiB were kept" in of().sentence()
    assert "its content has more than 1 GiB, and" in of(whole=False).sentence()


def test_other_processes_know_what_was_saved(tmp_path: Path) -> None:
    first, second = TooLargeResponses(tmp_path), TooLargeResponses(tmp_path)
    first.note(of())
    first.save()
    second.note(of("http://a.test/other"))
    second.save()
    third = TooLargeResponses(tmp_path)
    assert third.find(URI) == of()
    assert third.find("http://a.test/other") == of("http://a.test/other")
    assert third.find("http://a.test/none") is None
    assert third.noted == []


def test_the_latest_are_kept_each_once(tmp_path: Path) -> None:
    responses = TooLargeResponses(tmp_path)
    for number in range(MAX_REMEMBERED + 1):
        responses.note(of(f"http://a.test/{number}"))
    responses.note(of("http://a.test/1", length=7))
    responses.save()
    found = TooLargeResponses(tmp_path)
    assert found.find("http://a.test/0") is None
    assert found.find("http://a.test/1") == of("http://a.test/1", length=7)
    assert len((tmp_path / FILE_NAME).read_text().splitlines()) == MAX_REMEMBERED


def test_a_damaged_file_and_a_missing_one_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b'\xff\n[1]\n{"uri": 1}\n' + b"[" * 100_000 + b"\n")
    assert TooLargeResponses(tmp_path).find(URI) is None
    assert TooLargeResponses(tmp_path / "none").find(URI) is None
    assert TooLargeResponses(None).find(URI) is None


def test_nothing_is_written_without_a_store(tmp_path: Path) -> None:
    responses = TooLargeResponses(tmp_path / "none")
    responses.note(of())
    responses.save()
    assert not (tmp_path / "none").exists()
