"""Parsing of dates, delta-seconds and lists (RFC 9110 §5.6)."""

from __future__ import annotations

import pytest

from cache.http.fields import MAX_SECONDS, delta_seconds, http_date, imf_date, is_host, members, unquoted

NOW = 1_795_435_200.0
"""Mon, 23 Nov 2026 12:00:00 GMT."""


@pytest.mark.row("PARSE-09", "PARSE-12")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Sun Nov 16 08:49:37 1994", "Wed, 16 Nov 1994 08:49:37 GMT"),
        ("sUN, 06 nOV 1994 08:49:37 gmt", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Mon, 31 Dec 2026 23:59:60 GMT", "Thu, 31 Dec 2026 23:59:59 GMT"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"),
        # up to fifty years ahead it is in the future, beyond that in the past
        ("Monday, 23-Nov-76 12:00:00 GMT", "Mon, 23 Nov 2076 12:00:00 GMT"),
        ("Monday, 23-Nov-77 12:00:00 GMT", "Wed, 23 Nov 1977 12:00:00 GMT"),
        ("Monday, 23-Nov-26 12:00:00 GMT", "Mon, 23 Nov 2026 12:00:00 GMT"),
        ("Monday, 23-Nov-00 12:00:00 GMT", "Thu, 23 Nov 2000 12:00:00 GMT"),
        ("Monday, 23-Nov-99 12:00:00 GMT", "Tue, 23 Nov 1999 12:00:00 GMT"),
    ],
)
def test_dates_in_all_three_forms(text: str, expected: str) -> None:
    timestamp = http_date(text, NOW)
    assert timestamp is not None
    assert imf_date(timestamp) == expected


@pytest.mark.row("PARSE-11")
@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "0",
        "",
        None,
    ],
)
def test_malformed_dates_are_refused(text: str | None) -> None:
    assert http_date(text, NOW) is None


@pytest.mark.row("PARSE-04", "FRESH-11")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("000060", 60),
        (str(MAX_SECONDS - 1), MAX_SECONDS - 1),
        (str(MAX_SECONDS), MAX_SECONDS),
        (str(MAX_SECONDS + 1), MAX_SECONDS),
        ("0" * 30 + "9", 9),
        ("9" * 10, MAX_SECONDS),
        ("9" * 5_000, MAX_SECONDS),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        (" 1", None),
        ("\u0661", None),
    ],
)
def test_delta_seconds_are_digits_and_have_a_limit(text: str, seconds: int | None) -> None:
    assert delta_seconds(text) == seconds


@pytest.mark.row("PARSE-01")
def test_lists_and_quoted_strings() -> None:
    assert members(' a , ,"b, \\"c",d="e,f" g,') == ["a", '"b, \\"c"', 'd="e,f" g']
    assert members('a, "b, c') == ["a", '"b, c']
    assert unquoted('"a\\"b\\\\"') == 'a"b\\'
    assert (unquoted('"a'), unquoted("a"), unquoted('"a"b"')) == (None, None, None)


@pytest.mark.parametrize("host", ["a.example", "a.", "127.0.0.1", "[::1]", "[2001:db8::192.0.2.1]", "a%20b", "_x"])
def test_names_and_addresses_are_hosts(host: str) -> None:
    assert is_host(host)


@pytest.mark.parametrize(
    "host", ["", ".", "..", "[]", "[::::1]", "[127.0.0.1]", "[a]", "::1", "a b", "a/b", "a%2", "\xe9"]
)
def test_other_texts_are_no_hosts(host: str) -> None:
    assert not is_host(host)
