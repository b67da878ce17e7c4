"""Content as text: in the charset that is named, if it is one that texts are sent in."""

from __future__ import annotations

import pytest

from addon.pipeline import content_text
from addon.pipeline.content_text import text_of


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("UTF-8", "naïve Straße 日本"),
        ("utf-16", "日本"),
        ("UTF-16LE", "日本"),
        ("utf-32", "日本"),
        ("latin-1", "naïve"),
        ("windows-1252", "„naïve“"),
        ("ISO-8859-15", "5 €"),
        ("windows-1251", "Москва"),
        ("KOI8-R", "Москва"),
        ("koi8-u", "Київ"),
        ("Shift_JIS", "日本"),
        ("EUC-JP", "日本"),
        ("iso-2022-jp", "日本"),
        ("EUC-KR", "한국"),
        ("GB2312", "中国"),
        ("gbk", "中國"),
        ("gb18030", "中国"),
        ("Big5", "中國"),
    ],
)
def test_text_is_read_in_the_charset_that_is_named(charset: str, text: str) -> None:
    assert text_of(text.encode(charset), f"text/plain; charset={charset}") in (text, f"\ufeff{text}")


@pytest.mark.parametrize(
    "parameter", ["charset=iso-8859-1", 'Charset="ISO-8859-1"', "a=b;charset = 'latin1'", "charset=latin1;a=b"]
)
def test_the_parameter_is_read_in_every_spelling(parameter: str) -> None:
    assert text_of(b"na\xefve", f"text/plain; {parameter}") == "naïve"


def test_latin_1_has_the_quotation_marks_that_browsers_show() -> None:
    assert text_of(b"\x93a\x94", "text/plain; charset=iso-8859-1") == "“a”"


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode_escape", "utf-7", "hex", "rot13", "undefined", "no"])
def test_a_codec_of_python_that_is_no_charset_is_not_used(charset: str) -> None:
    assert text_of(b"a-\\u0041+AEE-", f"text/plain; charset={charset}") == "a-\\u0041+AEE-"
    assert text_of("naïve".encode(), f"text/plain; charset={charset}") == "naïve"


def test_every_codec_exists() -> None:
    for codec in content_text._CHARSETS.values():
        assert text_of(b"", f"text/plain; charset={codec}") == ""


@pytest.mark.parametrize("content_type", [None, "", "text/html", "charset=latin-1"])
def test_without_a_charset_text_is_utf_8(content_type: str | None) -> None:
    assert text_of("naïve".encode(), content_type) == "naïve"
    assert text_of(b"na\xefve", content_type) is None


def test_content_with_nul_is_no_text() -> None:
    assert text_of(b"a\0b", "text/plain") is None
    assert text_of(b"a\t\x1b[31mb\r\n", "text/plain") == "a\t\x1b[31mb\r\n"


@pytest.mark.parametrize("charset", ["utf-8", "euc-jp", "utf-16-le"])
def test_of_a_beginning_the_character_that_is_cut_off_is_left_out(charset: str) -> None:
    cut = "日本".encode(charset)[:-1]
    assert text_of(cut, f"text/plain; charset={charset}", is_whole=False) == "日"
    assert text_of(cut, f"text/plain; charset={charset}") is None
