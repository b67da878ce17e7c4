"""Header blocks: HPACK (RFC 7541) with the library `hpack`.

Requests are decoded with the table that their connection shares with the client. Responses are encoded without a table,
each field as a literal or by its number in the static table: so a block is the same on every connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from hpack import Decoder, Encoder, HPACKError, OversizedHeaderListError

from addon.frontend.http1.request_head import MalformedRequest
from addon.origin.http2.faults import ConnectionFault, ErrorCode
from cache.http.messages import Fields, Response

NO_TABLE = b"\x20"
"""A table size update to 0 (RFC 7541 §6.3): this side uses no table."""

MAX_REMEMBERED = 32
"""Header blocks of a connection whose requests are remembered."""

MAX_REMEMBERED_BLOCK = 1024
"""Bytes of such a header block."""

CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""Fields of one connection of HTTP/1; HTTP/2 has none of them (RFC 9113 §8.2.2)."""

Lines = Sequence[tuple[bytes, bytes]]
"""A decoded header list: names and values."""


class OversizedHeaderList(MalformedRequest):
    """A header list that is too large. It was not decoded to its end, so the table is out of step from now on."""


class HeaderDecoder[Head]:
    """Decodes the header blocks of one connection.

    The same bytes mean the same fields as long as the table is the same. So what a block led to is remembered until the
    table changes: a client that repeats a request sends a block that refers to the table and does not change it.

    Attributes:
        known: What header blocks led to that would be decoded alike now.
    """

    def __init__(self, max_list_size: int) -> None:
        self.known: dict[bytes, Head] = {}
        self._decoder = Decoder(max_list_size)
        self._newest: tuple[bytes, bytes] | None = None
        self._sizes = (0, 0)
        self._changed_table = False
        """The block that was decoded last has changed the table."""

    def decode(self, block: bytes) -> Lines:
        """Return the fields of a header block.

        Raises:
            ConnectionFault: the block is not HPACK.
            OversizedHeaderList: the connection must end.
        """
        try:
            lines: Lines = list(self._decoder.decode(block, raw=True))
        except OversizedHeaderListError:
            limit = self._decoder.max_header_list_size
            raise OversizedHeaderList(f"The request head is larger than {limit} bytes.", 431) from None
        except (HPACKError, IndexError) as error:  # a block that ends early is an IndexError in some places
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, f"A header block is not HPACK: {error}") from None
        self._changed_table = self._table_has_changed()
        if self._changed_table:
            self.known.clear()
        return lines

    def remember(self, block: bytes, head: Head) -> None:
        """Remember what the block led to that was decoded last, if it would be decoded to the same again."""
        if not self._changed_table and len(block) <= MAX_REMEMBERED_BLOCK:
            if len(self.known) >= MAX_REMEMBERED:
                self.known.clear()
            self.known[block] = head

    def _table_has_changed(self) -> bool:
        """Return whether the table differs from what it was at the last call."""
        table, newest, sizes = self._decoder.header_table, self._newest, self._sizes
        # each insertion makes a new tuple, and each eviction without one changes a size
        self._newest = table.dynamic_entries[0] if table.dynamic_entries else None
        self._sizes = len(table.dynamic_entries), table.maxsize
        return self._newest is not newest or self._sizes != sizes


_ENCODER = Encoder()


def encode(lines: Iterable[tuple[str, str]]) -> bytes:
    """Return a header block, or a part of one, that changes no table."""
    # "never indexed": with an empty table of its own, the encoder has no state then
    return _ENCODER.encode(
        [(name.lower().encode("latin-1"), value.encode("latin-1"), True) for name, value in lines], huffman=False
    )


def response_block(head: Response) -> bytes:
    """Return the header block of a response."""
    return _response_block(head.status, head.fields)


@lru_cache(maxsize=512)
def _response_block(status: int, fields: Fields) -> bytes:
    lines = [(name, value) for name, value in fields if name.lower() not in CONNECTION_FIELDS]
    return encode([(":status", str(status)), *lines])
