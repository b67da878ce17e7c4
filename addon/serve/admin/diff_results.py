"""The result of a comparison of recordings, as the OpenAPI document describes it."""

from __future__ import annotations

from typing import TypedDict


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
