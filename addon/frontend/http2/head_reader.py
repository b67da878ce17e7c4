"""Reads request heads and trailers from the header blocks of one HTTP/2 connection, and remembers heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from addon.frontend.gateway.forwarding import Forwarding
from addon.frontend.http1.request_head import HeadLimits, MalformedRequest
from addon.frontend.http2 import limits
from addon.frontend.http2.header_block import HeaderDecoder
from addon.frontend.http2.request_fields import Http2Head, check_trailers, request_head
from addon.origin.http2.header_block import Lines


class HeadReader:
    """Decodes header blocks, and reports how much work each was."""

    def __init__(
        self,
        prefix: bytes,
        head_limits: HeadLimits,
        spend: Callable[[int], None],
        *,
        secure: bool,
        forwarding: Forwarding | None = None,
        peer: str = "",
    ) -> None:
        """Read heads for a connection.

        Args:
            prefix: What distinguishes hot responses of this connection from others of equal requests.
            head_limits: How large heads may be.
            spend: Called with the units of work that a block took.
            secure: The connection is inside TLS.
            forwarding: Finds out who the clients are, at an edge.
            peer: The address at the other end of the connection.
        """
        self._limits = head_limits
        self._spend = spend
        self._read = partial(
            request_head, prefix=prefix, max_line=head_limits.line, secure=secure, forwarding=forwarding, peer=peer
        )
        self._decoder = HeaderDecoder[Http2Head](head_limits.head)
        self.known = self._decoder.known
        """Heads by their blocks, as far as they would be decoded alike now."""

    def head(self, block: bytes) -> Http2Head:
        """Return the request head in a header block. Raises MalformedRequest and ConnectionFault."""
        lines, size = self._decode(block)
        head = self._read(lines)
        more_than_usual = max(0, len(head.head.fields.lines) - limits.USUAL_FIELDS)
        head = replace(head, size=size + more_than_usual * limits.FIELD_MEMORY)
        if size <= limits.MAX_REMEMBERED_LIST:
            self._decoder.remember(block, head)
        return head

    def read_trailers(self, block: bytes, *, ended: bool) -> None:
        """Check the trailers in a header block, which end the request. Raises MalformedRequest and ConnectionFault."""
        lines, _ = self._decode(block)
        check_trailers(lines, self._limits.line)
        if not ended:
            raise MalformedRequest("A trailer section does not end the request.")  # RFC 9113 §8.1

    def _decode(self, block: bytes) -> tuple[Lines, int]:
        """Return the fields in a header block, and their size in bytes. Raises MalformedRequest and ConnectionFault."""
        lines = self._decoder.decode(block)
        size = sum(len(name) + len(value) for name, value in lines)
        self._spend(limits.WORK_PER_BLOCK + len(block) // limits.ENCODED_PER_WORK + size // limits.DECODED_PER_WORK)
        return lines, size
