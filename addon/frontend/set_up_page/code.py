"""The QR code with the address of the set-up page, for a telephone or another device that has a camera."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import inf

from addon.config.addresses import UNSPECIFIED_ADDRESSES, is_loopback
from addon.pipeline.recent_values import RecentValues
from addon.runtime.listen_address import proxy_url

_MARGIN = 4
"""Light modules around the code, which readers need (ISO/IEC 18004)."""

PAUSE = 0.2
"""Seconds between two new codes for clients. One takes 2 to 4 ms, and a client can invent addresses without end."""

_KEPT = 16
"""Codes that are kept."""


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code as a drawing.

    Attributes:
        address: What a reader of the code gets.
        size: The width and height of the drawing, with its light margin.
        path: The dark parts, as the data of an SVG path.
    """

    address: str
    size: int
    path: str


def code_for_others(listening: str, host: str, port: int) -> Code | None:
    """Return the code of the set-up page; None if no other device can use the address.

    Args:
        listening: The host on which the proxy listens.
        host: The host by which it was reached; an IPv6 address has no brackets.
        port: The port by which it was reached.
    """
    address = _address_for_others(listening, host, port)
    return _code(address) if address else None


class CodesForClients:
    """The codes that clients get without a token: new ones are drawn seldom, and there is none in between."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the time in seconds from `clock`."""
        self._clock = clock
        self._known = RecentValues[str, Code](_KEPT)
        self._next = -inf

    def code(self, listening: str, host: str, port: int) -> Code | None:
        """Return what `code_for_others` does; None, too, if another one was drawn just now."""
        address = _address_for_others(listening, host, port)
        known = self._known.get(address) if address else None
        if known is None and address and (now := self._clock()) >= self._next:
            self._next = now + PAUSE
            known = self._known[address] = _code(address)
        return known


def _address_for_others(listening: str, host: str, port: int) -> str | None:
    if is_loopback(listening) or is_loopback(host) or host in UNSPECIFIED_ADDRESSES:
        return None
    return f"{proxy_url(host, port)}/"


@lru_cache(maxsize=_KEPT)  # it takes milliseconds, and most clients ask for the same few addresses
def _code(address: str) -> Code:
    import segno  # slow to import, and few start a proxy to see its page

    rows = list(segno.make_qr(address).matrix_iter(border=_MARGIN))
    return Code(address, len(rows), "".join(_line(tuple(row), top) for top, row in enumerate(rows)))


def _line(row: tuple[int, ...], top: int) -> str:
    """Return the dark parts of a row, each as a box of the height 1."""
    left, boxes = 0, []
    for dark, modules in groupby(row):
        width = len(list(modules))
        if dark:
            boxes.append(f"M{left} {top}h{width}v1h-{width}z")
        left += width
    return "".join(boxes)
