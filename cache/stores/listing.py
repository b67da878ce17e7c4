"""Lists of stored responses: their orders, the places in them, and how a list is made of responses in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cache.rules.freshness import made_at
from cache.rules.stored_response import StoredResponse


class Order(StrEnum):
    """The orders of a list."""

    URL = "url"
    SIZE = "size"
    AGE = "age"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Selection:
    """The responses that are wanted, and in which order.

    A store leaves out what it knows not to fit. It may yield others, so whoever reads the list compares each.
    """

    order: Order = Order.URL
    after: str = ""
    """The place behind which the list begins; empty for its beginning."""
    pattern: str | None = None
    """A part of the URL, or a pattern with * and ? for the whole URL; in any case of letters."""
    host: str | None = None
    """A host, or a pattern with * and ?; with a port, only that port."""
    tag: str | None = None
    """A cache tag."""
    never_used: bool = False
    """Only those that have answered no request since they were stored."""
    compared: int | None = None
    """Responses that a store compares at most if it has them in no order; None for all."""


@dataclass(frozen=True, slots=True)
class Found:
    """One place of a list."""

    place: str
    """Its place in the order: the `after` of a selection that goes on behind it."""
    entries: tuple[StoredResponse, ...]
    """The responses there. Those under one key are together in the orders of URLs and of ages."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, which is read as far as it is wanted."""

    found: Iterator[Found]
    is_sample: bool = False
    """The store has more responses than were compared, and they are in no order."""


def place_of(number: float, tie: str | int) -> str:
    """Return the place of a response by the number that is compared, and by another text for equal numbers."""
    return f"{number!r} {tie}"


def number_and_tie(place: str) -> tuple[float, str]:
    """Return what `place_of` got; for the beginning of a list, what is before all others.

    Raises:
        ValueError: the text is no such place.
    """
    if not place:
        return -math.inf, ""
    number, _, tie = place.partition(" ")
    try:
        return float(number), tie
    except ValueError:
        raise ValueError(f"expected the `next` of a list in the same order, found {place!r}") from None


def listing_of(
    entries: Iterable[StoredResponse],
    selection: Selection,
    last_use: Callable[[StoredResponse], float],
    *,
    is_sample: bool = False,
) -> Listing:
    """Return a list of responses in memory. Raises ValueError if its place is none.

    Args:
        entries: All responses.
        selection: The order and the place.
        last_use: Returns a number that is the lowest for what was not used for longest.
        is_sample: These are not all responses of the store.
    """
    if selection.order is Order.URL:
        return Listing(_by_url(entries, selection.after), is_sample)
    numbers: dict[Order, Callable[[StoredResponse], float]] = {
        Order.SIZE: lambda entry: float(-entry.length),
        Order.AGE: made_at,
        Order.USED: last_use,
    }
    number, after = numbers[selection.order], number_and_tie(selection.after)
    placed = sorted(((number(entry), entry.id, entry) for entry in entries), key=lambda each: each[:2])
    behind = (each for each in placed if each[:2] > after)
    return Listing((Found(place_of(rank, tie), (entry,)) for rank, tie, entry in behind), is_sample)


def _by_url(entries: Iterable[StoredResponse], after: str) -> Iterator[Found]:
    by_key: dict[str, list[StoredResponse]] = {}
    for entry in entries:
        if entry.key > after:
            by_key.setdefault(entry.key, []).append(entry)
    for key in sorted(by_key):
        yield Found(key, tuple(by_key[key]))
