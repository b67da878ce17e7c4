"""Similar URLs: those among the stored ones that somebody who asks for another one may have meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import takewhile
from urllib.parse import urlsplit

MIN_SIMILARITY = 0.65
"""From 0 (nothing in common) to 1 (equal)."""

MAX_COMPARED = 200
"""URLs that are compared in full: those with the longest common beginning. To compare all would take too long."""

_EXTENSION = re.compile(r"(?:\.[a-z]\w*)+$")


def similar_urls(wanted: str, stored: Iterable[str], limit: int) -> list[str]:
    """Return at most `limit` of the stored URLs that are similar to the wanted one, the most similar first."""
    nearest = nlargest(MAX_COMPARED, stored, key=lambda url: (_common(wanted, url), -len(url), url))
    similar = [(similarity, url) for url in nearest if (similarity := _similarity(wanted, url)) >= MIN_SIMILARITY]
    return [url for _, url in sorted(similar, key=lambda each: (-each[0], len(each[1]), each[1]))[:limit]]


def _similarity(one: str, other: str) -> float:
    """Return how similar two URLs of one origin are, apart from the folders that both are in."""
    first, second = urlsplit(one.casefold()), urlsplit(other.casefold())
    if first.path.rstrip("/") == second.path.rstrip("/"):  # only the queries differ
        return 1.0
    segments, others = first.path.split("/"), second.path.split("/")
    shared = _common(segments, others)
    rest, other_rest = "/".join(segments[shared:]), "/".join(others[shared:])
    extension = _EXTENSION.search(rest)
    if extension and other_rest.endswith(extension[0]):  # what names of one kind have in common says nothing
        rest, other_rest = rest.removesuffix(extension[0]), other_rest.removesuffix(extension[0])
    return SequenceMatcher(None, rest, other_rest).ratio()


def _common(one: str | list[str], other: str | list[str]) -> int:
    """Return the number of characters, or of segments, at the beginning that are equal."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
