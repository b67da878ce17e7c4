"""Parsers for field values: lists, tokens, delta-seconds, dates, entity tags.

They accept any input and never raise: a malformed value becomes None or is left out. They are lenient in these cases
only:

- lists: empty members are skipped (RFC 9110 §5.6.1.2)
- dates: letter case is ignored, the weekday may contradict the date, second 60 is read as 59
- entity tags: obs-text is allowed; a tag without quotes is accepted and equals only an identical one
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv6Address

MAX_SECONDS = 2**31
"""Limit for delta-seconds: a greater number is read as this one (RFC 9111 §1.2.2)."""

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
HOST = r"(?:\[[0-9A-Fa-f:.]+\]|(?:[0-9A-Za-z\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)"  # RFC 3986 §3.2.2
_HOST = re.compile(HOST)
WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)
"""A weight of RFC 9110 §12.4.2; group 1 is its number."""
_MEMBER = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|\\?$))+', re.DOTALL)
# group 1 is empty if the quoted string has no end; it then takes the rest, so that no text is read twice
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+("?)', re.DOTALL)
_DIGITS = re.compile(r"[0-9]+")

_MONTHS = {
    month: number
    for number, month in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)"
_WEEKDAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
# RFC 9110 §5.6.7: IMF-fixdate, and the obsolete forms of RFC 850 and asctime
_DATES = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",
        rf"{_WEEKDAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",
        rf"{_DAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})",
    )
)


def is_host(text: str) -> bool:
    """Return whether a text is a host as a URI has it: a name, an IPv4 address, or an IPv6 address in brackets."""
    if not _HOST.fullmatch(text):
        return False
    if not text.startswith("["):
        return text.strip(".") != ""
    try:
        IPv6Address(text[1:-1])
    except ValueError:
        return False
    return True


def members(value: str) -> list[str]:
    """Return the members of a comma-separated list without empty ones. A comma in a quoted string does not separate."""
    return [stripped for match in _MEMBER.finditer(value) if (stripped := match.group().strip(" \t"))]


def tokens(value: str | None) -> Iterator[str]:
    """Iterate over the members of a comma-separated list, in lower case."""
    return (member.lower() for member in members(value or ""))


def has_open_quote(text: str) -> bool:
    """Return whether a quoted string in a text has no end."""
    return any(not quoted[1] for quoted in _QUOTED.finditer(text))


def unquoted(text: str) -> str | None:
    """Return the text inside a quoted string, unescaped, or None if `text` is not one complete quoted string."""
    quoted = _QUOTED.fullmatch(text)
    if not quoted or not quoted[1]:
        return None
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def delta_seconds(text: str) -> int | None:
    """Return delta-seconds as a number, at most `MAX_SECONDS`, or None if `text` is not ASCII digits only."""
    if not _DIGITS.fullmatch(text):
        return None
    # Converting a long number costs time, and more than ten digits exceed the limit anyway
    significant = text.lstrip("0")
    return MAX_SECONDS if len(significant) > 10 else min(int(significant or "0"), MAX_SECONDS)


def http_date(text: str | None, now: float) -> float | None:
    """Return an HTTP-date in seconds since the epoch, or None if it is in none of the three forms.

    `now`, in seconds since the epoch, decides the century of a two-digit year.
    """
    # The year in place of `now` makes the cache effective; only the RFC 850 form, with "-", needs it
    return _parsed_date(text, datetime.fromtimestamp(now, UTC).year if text and "-" in text else 0)


@lru_cache(maxsize=1024)
def _parsed_date(text: str | None, this_year: int) -> float | None:
    for form in _DATES:
        if match := form.fullmatch(text or ""):
            year = int(match["year"])
            if len(match["year"]) == 2:
                year = _full_year(year, this_year)
            try:
                date = datetime(
                    year=year,
                    month=_MONTHS[match["month"].lower()],
                    day=int(match["day"]),
                    hour=int(match["hour"]),
                    minute=int(match["minute"]),
                    second=59 if match["second"] == "60" else int(match["second"]),
                    tzinfo=UTC,
                )
            except ValueError:
                return None
            return date.timestamp()
    return None


def _full_year(two_digits: int, this_year: int) -> int:
    year = this_year - this_year % 100 + two_digits
    # RFC 9110 §5.6.7: a year more than 50 years in the future is in the past century
    return year - 100 if year > this_year + 50 else year


def imf_date(timestamp: float) -> str:
    """Return a time, in seconds since the epoch, as an IMF-fixdate (RFC 9110 §5.6.7)."""
    return _imf_date(int(timestamp))


@lru_cache(maxsize=64)
def _imf_date(timestamp: int) -> str:
    date = datetime.fromtimestamp(timestamp, UTC)
    weekday = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][date.weekday()]
    month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][date.month - 1]
    return f"{weekday}, {date.day:02} {month} {date.year:04} {date:%H:%M:%S} GMT"


def entity_tags(value: str) -> list[str]:
    """Return the entity tags of an If-None-Match list, unchanged."""
    return members(value)


def opaque_tag(tag: str) -> str:
    """Return an entity tag without its `W/`, for weak comparison (RFC 9110 §8.8.3.2)."""
    return tag.removeprefix("W/")


def is_strong(tag: str) -> bool:
    """Return whether an entity tag is a strong one (RFC 9110 §8.8.3.2)."""
    return not tag.startswith("W/")


def media_type(value: str | None) -> str:
    """Return the media type of a Content-Type, in lower case and without parameters; empty if there is none."""
    return (value or "").partition(";")[0].strip().lower()
