"""Previews of stored content: what is text, what is an image, and that content of strangers stays within limits."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from addon.pipeline.content_codings import encode_content
from addon.pipeline.content_preview import MAX_IMAGE, MAX_TEXT, Preview, preview_of
from addon.pipeline.pixel_images import MAX_PIXELS
from cache.http.messages import Fields, Response
from cache.stores.memory import MemoryStore
from tests.fixtures.png import png_start
from tests.fixtures.stored_entries import new_entry


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    store = MemoryStore(1 << 28)
    yield store
    store.close()


def preview(
    store: MemoryStore, content: bytes, kind: str = "text/plain", coding: str = "", **changes: object
) -> Preview:
    fields = Fields((("Content-Type", kind), *((("Content-Encoding", coding),) if coding else ())))
    return preview_of(store, store.keep(new_entry(head=Response(200, "OK", fields), **changes), content))


def test_text_is_shown_as_it_is(store: MemoryStore) -> None:
    assert preview(store, "naïve\n".encode()) == Preview("text/plain", "naïve\n")
    assert preview(store, b"na\xefve", "text/plain; charset=ISO-8859-1").text == "naïve"
    assert preview(store, b"") == Preview("text/plain", "")


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_content_codings_are_undone(store: MemoryStore, coding: str) -> None:
    assert preview(store, encode_content(b"plain", coding), coding=coding).text == "plain"


def test_several_codings_are_undone_in_order(store: MemoryStore) -> None:
    content = encode_content(encode_content(b"plain", "br"), "gzip")
    assert preview(store, content, coding="br, gzip").text == "plain"


def test_json_is_indented_and_its_values_stay_as_they_are(store: MemoryStore) -> None:
    found = preview(store, b'{"a":1.50,"a":[true,{}],"b":"x:{,"}', "application/json")
    assert found.text == '{\n  "a": 1.50,\n  "a": [\n    true,\n    {}\n  ],\n  "b": "x:{,"\n}'
    assert found.note == "Indented; what is stored has other spaces."
    assert preview(store, b'{"a":', "application/json").text == '{"a":'
    assert preview(store, b'"text"', "application/json").text == '"text"'


def test_long_text_is_cut_between_two_characters(store: MemoryStore) -> None:
    found = preview(store, "é".encode() * MAX_TEXT + b"x")
    assert (found.text, found.note) == ("é" * (MAX_TEXT // 2), "The first 64 KiB.")
    found = preview(store, b"x" + "é".encode() * MAX_TEXT)
    assert found.text == "x" + "é" * (MAX_TEXT // 2 - 1)


def test_an_image_is_known_by_its_first_bytes(store: MemoryStore) -> None:
    assert preview(store, png_start(), "text/html").media_type == "image/png"
    assert preview(store, b"GIF89a\x02\x00\x03\x00" + bytes(8)).media_type == "image/gif"
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc0\x00\x11\x08\x00\x10\x00\x20" + bytes(20)
    assert preview(store, jpeg).media_type == "image/jpeg"
    for kind in (b"VP8 ", b"VP8L", b"VP8X"):
        assert preview(store, b"RIFF\x20\x00\x00\x00WEBP" + kind + bytes(16)).media_type == "image/webp"


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "image/png"])
@pytest.mark.parametrize("content", [b"<script>alert(1)</script>", b"<svg onload='alert(1)'/>"])
def test_what_can_have_scripts_is_text_whatever_it_is_called(store: MemoryStore, kind: str, content: bytes) -> None:
    found = preview(store, content, kind)
    assert (found.text, found.image) == (content.decode(), None)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (b"PK\x03\x04\x00\x00", "This is neither text nor an image of a kind that is shown."),
        (b"\x1b[31m", "This is neither text nor an image of a kind that is shown."),
        (b"caf\xe9 not UTF-8", "This is neither text nor an image of a kind that is shown."),
        (png_start(100_000, 100_000), "An image of 100000 by 100000 pixels is not shown: it would need much memory."),
        (png_start() + bytes(MAX_IMAGE), "An image of more than 1 MiB is not shown."),
        (b"\xff\xd8\xff\xe0\x00", "This is neither text nor an image of a kind that is shown."),
    ],
)
def test_what_is_not_shown_is_said(store: MemoryStore, content: bytes, note: str) -> None:
    found = preview(store, content)
    assert (found.text, found.image, found.note) == (None, None, note)
    assert MAX_PIXELS < 100_000**2


@pytest.mark.parametrize(
    ("content", "coding", "note"),
    [
        (b"not gzip", "gzip", "It cannot be shown: the content is not gzip"),
        (gzip.compress(b"x" * 100)[:20], "gzip", "It cannot be shown: the encoded content is incomplete."),
        (b"x", "aes128gcm", "It cannot be shown: found the content coding aes128gcm"),
        (b"x", ", ".join(["gzip"] * 1000), "It cannot be shown: found 1000 content codings, expected at most 4"),
        (gzip.compress(gzip.compress(bytes(1 << 24), 0)), "gzip, gzip", "It cannot be shown: the content is more than"),
    ],
    ids=["no gzip", "cut off", "unknown", "many", "bomb in a bomb"],
)
def test_content_that_cannot_be_decoded_is_said(store: MemoryStore, content: bytes, coding: str, note: str) -> None:
    found = preview(store, content, coding=coding)
    assert found.text is None
    assert found.note.startswith(note)


def test_of_a_short_content_that_decodes_to_a_long_one_the_beginning_is_shown(store: MemoryStore) -> None:
    found = preview(store, gzip.compress(b"x" * (1 << 26)), coding="gzip")
    assert (found.text, found.note) == ("x" * MAX_TEXT, "The first 64 KiB.")


@pytest.mark.parametrize("content", [b"[" * 30_000 + b"]" * 30_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000])
def test_deeply_nested_json_makes_no_long_text(store: MemoryStore, content: bytes) -> None:
    assert 0 < len(preview(store, content, "application/json").text or "") <= MAX_TEXT
    nested = b"[" * 500 + b"0," * 20_000 + b"0" + b"]" * 500
    found = preview(store, nested, "application/json")
    assert len(found.text or "") == MAX_TEXT
    assert found.note.endswith("The first 64 KiB.")


def test_a_stored_part_is_not_shown(store: MemoryStore) -> None:
    assert preview(store, b"abc", complete_length=10).note == "Only a part of the content is stored."
