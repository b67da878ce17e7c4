"""The differences between two recordings."""

from __future__ import annotations

import gzip

from addon.recordings.diff import Changed, Comparison
from addon.recordings.library import RecordingLibrary
from cache.http.messages import Fields, Response
from tests.addon.recordings.libraries import contents_of, put, record_all_kinds

URL = "http://a.test/page"


def changes(library: RecordingLibrary, *ignored: str) -> list[Changed]:
    """Compare the recordings a and b."""
    with library.opened("a") as first, library.opened("b") as second:
        return list(Comparison(first, second, frozenset(ignored), with_lines=True).all())


def record(library: RecordingLibrary, name: str, content: bytes = b"hello", *fields: str, **entry: object) -> None:
    """Make a recording of one response."""
    with library.create(name) as store:
        put(store, URL, content, *fields, **entry)


def parts(changed: list[Changed]) -> list[tuple[str, str | None, str | None]]:
    """Return the differences between the responses to the only URL."""
    (only,) = changed
    return [(each.part, each.first, each.second) for each in only.differences]


def test_equal_recordings_of_all_kinds_of_responses_have_no_differences(library: RecordingLibrary) -> None:
    record_all_kinds(library, "a")
    record_all_kinds(library, "b")
    assert contents_of(library, "a")
    assert changes(library) == []


def test_responses_that_only_one_has_come_in_the_order_of_urls(library: RecordingLibrary) -> None:
    with library.create("a") as first, library.create("b") as second:
        for store, names in ((first, "ac"), (second, "bc")):
            for name in names:
                put(store, f"http://a.test/{name}")
    assert [(each.url[-1], each.in_first, each.in_second) for each in changes(library)] == [
        ("a", True, False),
        ("b", False, True),
    ]


def test_fields_that_differ_in_any_two_responses_are_no_differences(library: RecordingLibrary) -> None:
    record(library, "a", b"hello", "Age: 1", "Server-Timing: db;dur=1", "X-Kept: same")
    record(library, "b", b"hello", "Age: 2", "Server-Timing: db;dur=2", "X-Kept: same")
    assert changes(library) == []


def test_expires_is_compared_as_the_time_after_date(library: RecordingLibrary) -> None:
    def head(date: str, expires: str) -> Response:
        return Response(200, "OK", Fields((("Date", date), ("Expires", expires))))

    record(library, "a", head=head("Fri, 06 Nov 2026 21:20:00 GMT", "Fri, 06 Nov 2026 21:21:00 GMT"))
    record(library, "b", head=head("Sat, 07 Nov 2026 08:00:00 GMT", "Sat, 07 Nov 2026 08:01:00 GMT"))
    assert changes(library) == []
    library.remove("b")
    record(library, "b", head=head("Sat, 07 Nov 2026 08:00:00 GMT", "Sat, 07 Nov 2026 08:05:00 GMT"))
    assert parts(changes(library)) == [("expires", "60 seconds after Date", "300 seconds after Date")]


def test_a_field_can_be_ignored(library: RecordingLibrary) -> None:
    record(library, "a", b"hello", "X-Request-Id: 1", "Server: A")
    record(library, "b", b"hello", "X-Request-Id: 2", "Server: B")
    assert parts(changes(library)) == [("server", "A", "B"), ("x-request-id", "1", "2")]
    assert parts(changes(library, "x-request-id")) == [("server", "A", "B")]


def test_another_compression_of_the_same_content_is_no_difference_in_content(library: RecordingLibrary) -> None:
    record(library, "a", gzip.compress(b"hello", 1, mtime=1), "Content-Encoding: gzip", "Content-Length: 25")
    record(library, "b", gzip.compress(b"hello", 9, mtime=2), "Content-Encoding: gzip", "Content-Length: 26")
    assert changes(library) == []


def test_the_length_that_head_names_is_compared(library: RecordingLibrary) -> None:
    record(library, "a", b"", "Content-Length: 10", method="HEAD")
    record(library, "b", b"", "Content-Length: 11", method="HEAD")
    assert parts(changes(library)) == [("content-length", "10", "11")]


def test_a_part_of_another_whole_differs(library: RecordingLibrary) -> None:
    record(library, "a", b"cdef", first=2, complete_length=10)
    record(library, "b", b"cdef", first=2, complete_length=11)
    assert parts(changes(library)) == [("complete length", "10 bytes", "11 bytes")]


def test_responses_are_compared_although_vary_has_changed(library: RecordingLibrary) -> None:
    record(library, "a", b"hello", "Vary: Accept-Language", vary=(("accept-language", "de"),))
    record(library, "b", b"hello")
    assert parts(changes(library)) == [("vary", "Accept-Language", None)]


def test_variants_are_compared_one_by_one(library: RecordingLibrary) -> None:
    for name, german in (("a", b"hallo"), ("b", b"Hallo")):
        with library.create(name) as store:
            put(store, URL, b"hello", "Vary: Accept-Language", vary=(("accept-language", "en"),))
            put(store, URL, german, "Vary: Accept-Language", vary=(("accept-language", "de"),))
    (changed,) = changes(library)
    assert changed.content is not None
    assert [(line.first, line.second) for line in changed.content.lines] == [("hallo", "Hallo")]
