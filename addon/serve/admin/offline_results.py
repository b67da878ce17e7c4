"""The results of operations on recordings and on what is missing offline, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import TypedDict


class RecordingInShort(TypedDict):
    """A recording: its name, how many responses it has, and its size."""

    name: str
    responses: int
    size: int


class Recordings(TypedDict):
    """All recordings, and the one that is being made (`record`) or used (`replay`); null and empty for none."""

    doing: str | None
    name: str
    recordings: list[RecordingInShort]


class Missing(TypedDict):
    """The URLs that clients missed while no origin was asked, and the responses that were too large to be stored.

    Of the URLs, those that would be missing again; those of earlier times are among them.
    """

    urls: list[str]
    too_large: list[str]


class FetchedMissing(TypedDict):
    """The result of a fetch; `problem` says why the response is not stored, and `remedy` what would change that."""

    url: str
    status: int
    size: int
    problem: str | None
    remedy: str | None


class MissingItem(TypedDict):
    """A URL or a package that is missing, and why."""

    name: str
    why: str


class CheckedLockFile(TypedDict):
    """The numbers of stored and missing items of a lock file; the first 1,000 missing ones are listed."""

    name: str
    is_readable: bool
    stored: int
    missing: int
    first_missing: list[MissingItem]


class RecordedDifference(TypedDict):
    """A difference between two responses: in `status`, `content`, or a field; null where one has none."""

    part: str
    first: str | None
    second: str | None


class TextLine(TypedDict):
    """A line of two texts side by side, with its numbers from 1; null where one has no such line."""

    first_number: int | None
    first: str | None
    second_number: int | None
    second: str | None


class ContentDifference(TypedDict):
    """Sizes and digests of two contents, the lines that differ with some around them, and why others are left out."""

    first: str
    second: str
    lines: list[TextLine]
    note: str


class ChangedResponse(TypedDict):
    """A response that only one recording has, or that differs."""

    method: str
    url: str
    in_first: bool
    in_second: bool
    differences: list[RecordedDifference]
    content: ContentDifference | None


class NotCompared(TypedDict):
    """A recorded response for which no origin was asked, or that did not come."""

    method: str
    url: str
    why: str


class RecordingsDiff(TypedDict):
    """A part of a comparison: `urls` is how many were compared, and `next` is null in the last part."""

    urls: int
    changed: list[ChangedResponse]
    not_compared: list[NotCompared]
    next: str | None
