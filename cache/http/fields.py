"""Field values taken apart: lists, tokens, delta-seconds, dates, entity tags.

Nothing here raises on any input; what is malformed comes back as None or is left out. Leniencies, all of them:

- empty list members are skipped (RFC 9110 §5.6.1.2)
- dates: letter case is ignored, the name of the weekday need not fit the date, second 60 is read as 59
- entity tags: obs-text is allowed; what has no quotes is kept as it is and only ever equals the same octets
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

MAX_SECONDS = 2**31
"""Delta-seconds beyond this count as this (RFC 9111 §1.2.2)."""

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
QUOTED_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_MEMBER = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|\\?$))+', re.DOTALL)
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
# RFC 9110 §5.6.7: one form to send, two obsolete ones to understand, and nothing between
_DATES = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",
        rf"{_WEEKDAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",
        rf"{_DAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})",
    )
)


def members(value: str) -> list[str]:
    """Return the members of a comma-separated list, quoted strings kept whole, empty members left out."""
    return [stripped for match in _MEMBER.finditer(value) if (stripped := match.group().strip(" \t"))]


def tokens(value: str | None) -> Iterator[str]:
    """Iterate over the members of a list in lower case."""
    return (member.lower() for member in members(value or ""))


def unquoted(text: str) -> str | None:
    """Return what a quoted string says, or None if `text` is not one complete quoted string."""
    if not QUOTED_STRING.fullmatch(text):
        return None
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def delta_seconds(text: str) -> int | None:
    """Return a count of seconds, at most `MAX_SECONDS`, or None unless `text` is all ASCII digits."""
    if not _DIGITS.fullmatch(text):
        return None
    # more digits than that are beyond the limit anyway, and converting them costs time
    significant = text.lstrip("0")
    return MAX_SECONDS if len(significant) > 10 else min(int(significant or "0"), MAX_SECONDS)


def http_date(text: str | None, now: float) -> float | None:
    """Return an HTTP-date as seconds since the epoch, or None if it is in none of the three forms.

    `now` (seconds since the epoch) decides the century of a two-digit year.
    """
    # it is the year alone that counts, so that a date need not be read twice
    return _moment(text, datetime.fromtimestamp(now, UTC).year if text and "-" in text else 0)


@lru_cache(maxsize=1024)
def _moment(text: str | None, this_year: int) -> float | None:
    for form in _DATES:
        if match := form.fullmatch(text or ""):
            year = int(match["year"])
            if len(match["year"]) == 2:
                year = _full_year(year, this_year)
            try:
                moment = datetime(
                    year,
                    _MONTHS[match["month"].lower()],
                    int(match["day"]),
                    int(match["hour"]),
                    int(match["minute"]),
                    59 if match["second"] == "60" else int(match["second"]),
                    tzinfo=UTC,
                )
            except ValueError:
                return None
            return moment.timestamp()
    return None


def _full_year(two_digits: int, this_year: int) -> int:
    year = this_year - this_year % 100 + two_digits
    # RFC 9110 §5.6.7: more than 50 years ahead means the past
    return year - 100 if year > this_year + 50 else year


def imf_date(moment: float) -> str:
    """Return seconds since the epoch as an IMF-fixdate (RFC 9110 §5.6.7)."""
    return _imf_date(int(moment))


@lru_cache(maxsize=64)
def _imf_date(second: int) -> str:
    date = datetime.fromtimestamp(second, UTC)
    weekday = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][date.weekday()]
    month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][date.month - 1]
    return f"{weekday}, {date.day:02} {month} {date.year:04} {date:%H:%M:%S} GMT"


def entity_tags(value: str) -> list[str]:
    """Return the entity tags of an If-None-Match list, octets as they are."""
    return members(value)


def opaque(tag: str) -> str:
    """Return what weak comparison compares: the tag less one `W/` (RFC 9110 §8.8.3.2)."""
    return tag.removeprefix("W/")


def is_strong(tag: str) -> bool:
    """Tell whether a tag takes part in strong comparison."""
    return not tag.startswith("W/")


def media_type(value: str | None) -> str:
    """Return the media type of a Content-Type in lower case without its parameters; empty if there is none."""
    return (value or "").partition(";")[0].strip().lower()
