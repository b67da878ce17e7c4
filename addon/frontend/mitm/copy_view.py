"""mitmproxy's content view `secondhand`: what the origin sent, beside what clients get of the stored copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mitmproxy.contentviews import Contentview, Metadata

from addon.frontend.mitm.commands import shown
from addon.frontend.mitm.notes import KEY
from addon.service import Service

MAX_WIDTH = 50
"""Characters of a column. A longer cell moves the rest of its line to the right."""


class CopyView(Contentview):
    """Shows what is stored for the URL of a flow."""

    name = "secondhand"

    def __init__(self, service: Callable[[], Service | None]) -> None:
        """Ask the service that `service` returns; None as long as it is not open."""
        self._service = service

    def prettify(self, data: bytes, metadata: Metadata) -> str:  # noqa: ARG002 - mitmproxy's signature; the content shown is that of the store
        """Return the lines about the stored copies."""
        service, flow = self._service(), metadata.flow
        if service is None or flow is None or KEY not in flow.metadata:
            return "The cache took no part in this flow."
        return "\n".join(_aligned([tuple(row) for row in shown(service, str(flow.metadata[KEY]))]))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:  # noqa: ARG002 - mitmproxy's signature; the priority is the same for all content
        """Return a priority by which this view is used only when a user selects it."""
        return -1


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Iterate over lines: those of the table have columns, the others are about the copy as a whole."""
    in_table = [row for row in rows if any(row[2:])]
    widths = [min(MAX_WIDTH, max(map(len, column))) for column in zip(*in_table, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True) if row in in_table else ((" ".join(row).strip(), 0),)
        yield "  ".join(cell.ljust(width) for cell, width in cells).rstrip()
