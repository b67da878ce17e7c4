"""The parts of a request besides its head: its content, and the client's interest in interim responses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from addon.origin import RequestContent
from cache.http.field_table import end_to_end
from cache.http.messages import Response


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request's content, and a function that sends interim responses (1xx) to the client."""

    content: RequestContent | None = None
    interim: Callable[[Response], None] | None = None

    @property
    def forwarding(self) -> Callable[[Response], None] | None:
        """Return a function that takes interim responses as an origin sends them; None if the client wants none."""
        return self._forward if self.interim else None

    def _forward(self, head: Response) -> None:
        if self.interim:
            self.interim(without_hop_fields(head))


def without_hop_fields(interim: Response) -> Response:
    """Return an interim response without the fields that were meant for this hop (RFC 9110 §7.6.1)."""
    return replace(interim, fields=end_to_end(interim.fields).without(["content-length"]))


NO_CONTEXT = RequestContext()
"""A request without content whose client wants no interim responses."""
