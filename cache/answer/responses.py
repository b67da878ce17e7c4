"""Responses to a client: a head, and where the content comes from."""

from __future__ import annotations

from cache.http.messages import Response
from cache.http.record import record
from cache.rules.stored_parts import StoredContent


@record
class CopyResponse:
    """A response from a stored response."""

    head: Response
    content: tuple[StoredContent | bytes, ...] = ()
    """The pieces of the content, in order."""
    exemption: str | None = None
    """The name of the reason to send 200 instead of 203, if there is one."""

    @property
    def length(self) -> int:
        """Bytes of the content."""
        return sum(len(piece) if isinstance(piece, bytes) else piece.stop - piece.start for piece in self.content)


@record
class RelayedResponse:
    """A response relayed from the origin."""

    head: Response
    has_content: bool
    """The content that the origin sends is relayed too."""
    exemption: str | None = None
    """The name of the reason to send 200 instead of 203, if there is one."""


type ErrorParameters = tuple[tuple[str, str | int], ...]
"""Names and values of the parameters that RFC 9209 §2.3 has for a proxy error type."""


@record
class ErrorResponse:
    """An error that this proxy generates itself."""

    head: Response
    content: bytes
