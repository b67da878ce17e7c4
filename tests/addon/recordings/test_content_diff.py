"""Two contents side by side: by line if they are texts of a bounded size, else by size and digest."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256

import pytest

from addon.recordings import content_diff as module
from addon.recordings.content_diff import ContentDiff, Line, content_diff
from addon.recordings.library import RecordingLibrary
from tests.addon.recordings.libraries import BINARY, put


def difference(library: RecordingLibrary, first: bytes, second: bytes, *fields: str) -> ContentDiff | None:
    """Compare two contents that were received with the same fields."""
    with library.create("a", replace="a" in library.names()) as store:
        entries = [put(store, f"http://a.test/{number}", each, *fields) for number, each in enumerate((first, second))]
        return content_diff((entries[0], store), (entries[1], store), with_lines=True)


def test_lines_that_differ_are_side_by_side_with_some_around_them(library: RecordingLibrary) -> None:
    first = b"".join(b"%d\n" % number for number in range(1, 21))
    found = difference(library, first, first.replace(b"\n10\n", b"\nten\nand more\n"))
    assert found is not None
    assert found.lines == (
        Line(8, "8", 8, "8"),
        Line(9, "9", 9, "9"),
        Line(10, "10", 10, "ten"),
        Line(None, None, 11, "and more"),
        Line(11, "11", 12, "11"),
        Line(12, "12", 13, "12"),
    )
    assert (found.first, found.note) == (f"{len(first)} bytes, sha256 {sha256(first).hexdigest()}", "")


def test_json_in_one_line_is_indented(library: RecordingLibrary) -> None:
    found = difference(library, b'{"a":1,"b":[true,2]}', b'{"a":1,"b":[true,3]}')
    assert found is not None
    assert [(line.first, line.second) for line in found.lines if line.first != line.second] == [("    2", "    3")]
    assert found.note == "both are JSON, and indented here"


def test_json_that_differs_in_spaces_alone_is_shown_as_it_is(library: RecordingLibrary) -> None:
    found = difference(library, b'{"a":1}', b'{"a": 1}')
    assert found is not None
    assert found.lines == (Line(1, '{"a":1}', 1, '{"a": 1}'),)


@pytest.mark.parametrize("hostile", [b"[" * 100_000, b'["\\ud800"]', b"[" + b"1" * 10_000 + b"]"])
def test_json_that_cannot_be_read_is_compared_as_text(library: RecordingLibrary, hostile: bytes) -> None:
    found = difference(library, hostile, b"[]")
    assert found is not None
    assert len(found.lines) == 1
    json.dumps([found.lines[0].first], ensure_ascii=False).encode()


def test_a_compressed_text_in_another_charset_is_read(library: RecordingLibrary) -> None:
    fields = ("Content-Encoding: gzip", 'Content-Type: text/plain; charset="latin-1"')
    found = difference(library, gzip.compress(b"caf\xe9"), gzip.compress(b"cafe"), *fields)
    assert found is not None
    assert found.lines == (Line(1, "café", 1, "cafe"),)


@pytest.mark.parametrize("first", [BINARY, b"caf\xe9", b"a\0b"])
def test_what_is_no_text_is_named_by_size_and_digest(library: RecordingLibrary, first: bytes) -> None:
    found = difference(library, first, b"other")
    assert found is not None
    assert (found.lines, found.note) == ((), "the contents are not both texts")
    assert found.first == f"{len(first)} bytes, sha256 {sha256(first).hexdigest()}"


@pytest.mark.parametrize("charset", ["punycode", "unicode_escape", "no-such"])
def test_a_charset_that_is_none_is_not_used(library: RecordingLibrary, charset: str) -> None:
    found = difference(library, b"caf-", b"caf\\x65", f"Content-Type: text/plain; charset={charset}")
    assert found is not None
    assert found.lines == (Line(1, "caf-", 1, "caf\\x65"),)


def test_a_content_that_is_not_in_its_coding_is_named_by_size_and_digest(library: RecordingLibrary) -> None:
    found = difference(library, b"plain", b"other", "Content-Encoding: gzip")
    assert found is not None
    assert found.lines == ()
    assert "the content is not gzip" in found.note


def test_the_sizes_are_bounded(library: RecordingLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONTENT", 100)
    monkeypatch.setattr(module, "MAX_LINES", 20)
    monkeypatch.setattr(module, "MAX_SHOWN", 3)
    longer, coded = difference(library, b"x" * 101, b"y"), gzip.compress(b"x" * 101)
    expanding = difference(library, coded, b"y", "Content-Encoding: gzip")
    many, shown = difference(library, b"\n" * 21, b"y"), difference(library, b"1\n2\n3\n4\n", b"5\n6\n7\n8\n")
    assert longer
    assert expanding
    assert many
    assert shown
    assert longer.note == "a content is longer than 100 bytes"
    assert expanding.note == "the content is more than 100 bytes without its coding gzip"
    assert many.note == "a text has more than 20 lines"
    assert (len(shown.lines), shown.note) == (3, "only the first 3 of 4 lines are shown")


def test_a_long_line_is_shown_where_it_differs(library: RecordingLibrary) -> None:
    found = difference(library, b"a" * 5000 + b"X" + b"b" * 5000, b"a" * 5000 + b"Y" + b"b" * 5000)
    assert found is not None
    (line,) = found.lines
    assert line.first is not None
    assert line.second is not None
    assert len(line.first) == module.MAX_LENGTH + 2
    assert ("X" in line.first, "Y" in line.second) == (True, True)
    assert line.first.startswith("…a")
    assert line.first.endswith("b…")


def test_other_line_ends_are_named(library: RecordingLibrary) -> None:
    found = difference(library, b"a\r\nb\r\n", b"a\nb\n")
    assert found is not None
    assert (found.lines, found.note) == ((), "line ends differ")
