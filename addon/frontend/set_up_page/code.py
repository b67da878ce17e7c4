"""The QR code with the address of the set-up page, for a telephone or another device that has a camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from addon.config.addresses import UNSPECIFIED_ADDRESSES, is_loopback
from addon.runtime.listen_address import proxy_url

_MARGIN = 4
"""Light modules around the code, which readers need (ISO/IEC 18004)."""


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
    if is_loopback(listening) or is_loopback(host) or host in UNSPECIFIED_ADDRESSES:
        return None
    return _code(f"{proxy_url(host, port)}/")


@lru_cache(maxsize=16)  # it takes milliseconds, and most clients ask for the same few addresses
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
