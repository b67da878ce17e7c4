"""The header blocks of requests, which are remembered, and of responses."""

from __future__ import annotations

from functools import lru_cache

from addon.frontend.http1.request_head import MalformedRequest
from addon.origin.http2 import header_block
from addon.origin.http2.header_block import CONNECTION_FIELDS, BlockDecoder, Lines, encode
from cache.http.messages import Fields, Response

MAX_REMEMBERED = 32
"""Header blocks of a connection whose requests are remembered."""

MAX_REMEMBERED_BLOCK = 1024
"""Bytes of such a header block."""


class OversizedHeaderList(MalformedRequest):
    """A request's header list that is too large: the connection must end."""


class HeaderDecoder[Head]:
    """Decodes the header blocks of one connection.

    The same bytes mean the same fields as long as the table is the same. So what a block led to is remembered until the
    table changes: a client that repeats a request sends a block that refers to the table and does not change it.

    Attributes:
        known: What header blocks led to that would be decoded alike now.
    """

    def __init__(self, max_list_size: int) -> None:
        self.known: dict[bytes, Head] = {}
        self._decoder = BlockDecoder(max_list_size)

    def decode(self, block: bytes) -> Lines:
        """Return the fields of a header block.

        Raises:
            ConnectionFault: the block is not HPACK.
            OversizedHeaderList: the connection must end.
        """
        try:
            lines = self._decoder.decode(block)
        except header_block.OversizedHeaderList:
            limit = self._decoder.max_list_size
            raise OversizedHeaderList(f"The request head is larger than {limit} bytes.", 431) from None
        if self._decoder.table_changed:
            self.known.clear()
        return lines

    def remember(self, block: bytes, head: Head) -> None:
        """Remember what the block led to that was decoded last, if it would be decoded to the same again."""
        if not self._decoder.table_changed and len(block) <= MAX_REMEMBERED_BLOCK:
            if len(self.known) >= MAX_REMEMBERED:
                self.known.clear()
            self.known[block] = head


def response_block(head: Response) -> bytes:
    """Return the header block of a response."""
    return _response_block(head.status, head.fields)


@lru_cache(maxsize=512)
def _response_block(status: int, fields: Fields) -> bytes:
    lines = [(name, value) for name, value in fields if name.lower() not in CONNECTION_FIELDS]
    return encode([(":status", str(status)), *lines])
