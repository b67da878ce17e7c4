"""Comparison of two contents, by line if they are texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import takewhile, zip_longest

from addon.pipeline.content_codings import CodingError, decode_content
from addon.pipeline.content_text import text_of
from cache.rules.stored_response import StoredResponse
from cache.stores.base import ResponseStore, StoreError

MAX_CONTENT = 1_048_576
"""Bytes of the longest content, without its coding, that is compared by line."""

MAX_LINES = 5000
"""Lines of the longest text that is compared by line: the time for it grows with their square."""

MAX_SHOWN = 200
"""Lines that are shown of one comparison."""

MAX_LENGTH = 300
"""Characters that are shown of a line."""

CONTEXT = 2
"""Equal lines that are shown before and after those that differ."""

type Stored = tuple[StoredResponse, ResponseStore]
"""A response, and the store that has its content."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of two texts side by side. The numbers begin with 1; both are None where a text has no such line."""

    first_number: int | None
    first: str | None
    second_number: int | None
    second: str | None


@dataclass(frozen=True, slots=True)
class ContentDiff:
    """Two contents that differ."""

    first: str
    """The size and the digest of the first one, for people."""
    second: str
    """The size and the digest of the second one."""
    lines: tuple[Line, ...] = ()
    """The lines that differ with some around them, if both are texts and compared by line; the others are equal."""
    note: str = ""
    """The reason why there are no lines, or not all of them, or why they are not those of the content itself."""


def content_diff(first: Stored, second: Stored, *, with_lines: bool) -> ContentDiff | None:
    """Return the difference between the contents of two responses; None if only their content codings differ."""
    one, other = (_decoded(*each) for each in (first, second))
    found = ContentDiff(_described(first[0]), _described(second[0]))
    if isinstance(one, str) or isinstance(other, str):
        return replace(found, note=one if isinstance(one, str) else str(other))
    if one == other:
        return None
    return _with_lines(found, _text(one, first[0]), _text(other, second[0])) if with_lines else found


def _with_lines(found: ContentDiff, first: str | None, second: str | None) -> ContentDiff:
    if first is None or second is None:
        return replace(found, note="the contents are not both texts")
    lines, note = _lines(first, second)
    if max(map(len, lines)) > MAX_LINES:
        return replace(found, note=f"a text has more than {MAX_LINES} lines")
    shown = tuple(_side_by_side(*lines))
    if len(shown) > MAX_SHOWN:
        note = f"only the first {MAX_SHOWN} of {len(shown)} lines are shown"
    return replace(found, lines=shown[:MAX_SHOWN], note=note)


def _described(entry: StoredResponse) -> str:
    return f"{entry.length} bytes, sha256 {entry.sha256}"


def _decoded(entry: StoredResponse, store: ResponseStore) -> bytes | str:
    """Return the content without its codings, or the reason why it is not read."""
    if entry.length > MAX_CONTENT:
        return f"a content is longer than {MAX_CONTENT} bytes"
    try:
        with closing(store.open(entry)) as body:
            content = body.read(0, body.length)
        return decode_content(content, entry.head.fields.get("content-encoding"), MAX_CONTENT)
    except (StoreError, CodingError) as error:
        return str(error)


def _text(content: bytes, entry: StoredResponse) -> str | None:
    return text_of(content, entry.head.fields.get("content-type"))


def _lines(first: str, second: str) -> tuple[tuple[Sequence[str], Sequence[str]], str]:
    """Return the lines of two texts, and a note about them. JSON, which is often one line, is indented."""
    indented = _indented(first), _indented(second)
    if indented[0] and indented[1] and indented[0] != indented[1]:
        return indented, "both are JSON, and indented here"
    return (
        first.splitlines(),
        second.splitlines(),
    ), "" if first.splitlines() != second.splitlines() else "line ends differ"


def _indented(text: str) -> list[str]:
    """Return the lines of an object or a list of JSON; none for any other text."""
    if not text.lstrip().startswith(("{", "[")):
        return []
    try:
        indented = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        indented.encode()  # half a surrogate pair cannot be printed
        return indented.splitlines()
    except (ValueError, RecursionError):
        return []


def _side_by_side(first: Sequence[str], second: Sequence[str]) -> Iterator[Line]:
    for group in SequenceMatcher(None, first, second).get_grouped_opcodes(CONTEXT):
        for _, start, stop, other_start, other_stop in group:
            for one, other in zip_longest(range(start, stop), range(other_start, other_stop)):
                yield _line(first, one, second, other)


def _line(first: Sequence[str], one: int | None, second: Sequence[str], other: int | None) -> Line:
    texts = None if one is None else first[one], None if other is None else second[other]
    equal = takewhile(lambda pair: pair[0] == pair[1], zip(texts[0] or "", texts[1] or "", strict=False))
    begin = sum(1 for _ in equal) if texts[0] != texts[1] else 0
    shown = [None if text is None else _shortened(text, begin) for text in texts]
    return Line(None if one is None else one + 1, shown[0], None if other is None else other + 1, shown[1])


def _shortened(text: str, difference: int) -> str:
    """Return at most MAX_LENGTH characters of a line, with the place where it differs from the other one."""
    if len(text) <= MAX_LENGTH:
        return text
    start = max(0, difference - MAX_LENGTH // 4)
    stop = start + MAX_LENGTH
    return f"{'…' if start else ''}{text[start:stop]}{'…' if stop < len(text) else ''}"
