"""The parts of a request besides its head: its content, and what its front end does for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from addon.origin import RequestContent
from addon.pipeline.content_digest import ContentDigest
from addon.pipeline.origin import FetchedResponse
from cache.engine.decisions import UpstreamRequest
from cache.http.field_table import end_to_end
from cache.http.messages import Response
from cache.http.record import record
from cache.policy.reasons import Forwarded, NotStored


@record
class RequestContext:
    """A request's content, and what the front end that received it does in place of the pipeline."""

    content: RequestContent | None = None
    interim: Callable[[Response], None] | None = None
    """Sends interim responses (1xx) to the client."""
    fetch: Callable[[UpstreamRequest], Awaitable[FetchedResponse]] | None = None
    """Asks the origin in place of the pipeline's `Origin`. Raises OriginFailure."""
    not_storable: NotStored | None = None
    """The reason why no response to this request may be stored or confirm a stored one, if the front end has one."""
    digest: ContentDigest | None = None
    """The digest of the content, if the response is recorded under it."""
    waited_as: Forwarded | None = None
    """The reason to forward the request, if it has waited for the fetch of another one, and was counted."""

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
