"""Header blocks: HPACK (RFC 7541) with the library `hpack`.

Blocks are decoded with the table that their connection shares with the peer. They are encoded without a table, each
field as a literal or by its number in the static table: so a block is the same on every connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hpack import Decoder, Encoder, HPACKError, OversizedHeaderListError

from addon.origin.http2.faults import ConnectionFault, ErrorCode

NO_TABLE = b"\x20"
"""A table size update to 0 (RFC 7541 §6.3): this side uses no table."""

CONNECTION_FIELDS = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
"""Fields of one connection of HTTP/1; HTTP/2 has none of them (RFC 9113 §8.2.2)."""

Lines = Sequence[tuple[bytes, bytes]]
"""A decoded header list: names and values."""


class OversizedHeaderList(Exception):
    """A header list that is too large. It was not decoded to its end, so the table is out of step from now on."""


class BlockDecoder:
    """Decodes the header blocks of one connection.

    Attributes:
        max_list_size: Bytes that a header list may have, with 32 bytes added for each field.
        table_changed: The block that was decoded last has changed the table.
    """

    def __init__(self, max_list_size: int) -> None:
        self.max_list_size = max_list_size
        self.table_changed = False
        self._decoder = Decoder(max_list_size)
        self._newest: tuple[bytes, bytes] | None = None
        self._sizes = (0, 0)

    def decode(self, block: bytes) -> Lines:
        """Return the fields of a header block.

        Raises:
            ConnectionFault: the block is not HPACK.
            OversizedHeaderList: the connection must end.
        """
        try:
            lines: Lines = list(self._decoder.decode(block, raw=True))
        except OversizedHeaderListError:
            raise OversizedHeaderList(f"A header list is larger than {self.max_list_size} bytes.") from None
        except (HPACKError, IndexError) as error:  # a block that ends early is an IndexError in some places
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, f"A header block is not HPACK: {error}") from None
        self.table_changed = self._table_has_changed()
        return lines

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
