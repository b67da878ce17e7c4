"""What goes along with a request to an origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from addon.origin import RequestContent
from cache.http.field_table import end_to_end
from cache.http.messages import Response


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request's content, and who hears of interim responses."""

    content: RequestContent | None = None
    interim: Callable[[Response], None] | None = None

    @property
    def forwarding(self) -> Callable[[Response], None] | None:
        """Return what takes interim responses as an origin sends them."""
        return self._pass_on if self.interim else None

    def _pass_on(self, head: Response) -> None:
        if self.interim:
            self.interim(without_hop_fields(head))


def without_hop_fields(interim: Response) -> Response:
    """Return an interim response without what was meant for this hop."""
    return replace(interim, fields=end_to_end(interim.fields).without(["content-length"]))


NO_CONTEXT = RequestContext()
