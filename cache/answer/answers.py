"""What a client is answered with: a head, and where its content comes from."""

from __future__ import annotations

from dataclasses import dataclass

from cache.http.messages import Response
from cache.rules.stored_parts import StoredContent


@dataclass(frozen=True, slots=True)
class CopyAnswer:
    """An answer from a stored response."""

    head: Response
    content: tuple[StoredContent | bytes, ...] = ()
    """What is sent, in order."""
    exemption: str | None = None
    """The reason's name where 200 is said although 203 is the rule."""

    @property
    def length(self) -> int:
        """Octets of the content."""
        return sum(len(each) if isinstance(each, bytes) else each.stop - each.start for each in self.content)


@dataclass(frozen=True, slots=True)
class RelayedAnswer:
    """An origin's answer, passed on."""

    head: Response
    has_content: bool
    """Whether the octets that the origin sends go along."""
    exemption: str | None = None
    """The reason's name where 200 is said although 203 is the rule."""


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """An error that this proxy makes itself."""

    head: Response
    content: bytes
