"""Header blocks: HPACK (RFC 7541).

Blocks are decoded with the table that their connection shares with the peer. They are encoded without a table, each
field as a literal or by its number in the static table: so a block is the same on every connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hpack import Encoder, HPACKError, OversizedHeaderListError

from addon.origin.http2.faults import ConnectionFault, ErrorCode
from addon.origin.http2.hpack_decoder import HpackDecoder

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
    """

    def __init__(self, max_list_size: int) -> None:
        self.max_list_size = max_list_size
        self._decoder = HpackDecoder(max_list_size)

    @property
    def table_changed(self) -> bool:
        """Return whether the block that was decoded last has changed the table."""
        return self._decoder.table_changed

    def decode(self, block: bytes) -> Lines:
        """Return the fields of a header block.

        Raises:
            ConnectionFault: the block is not HPACK.
            OversizedHeaderList: the connection must end.
        """
        try:
            return self._decoder.decode(block)
        except OversizedHeaderListError:
            raise OversizedHeaderList(f"A header list is larger than {self.max_list_size} bytes.") from None
        except HPACKError as error:
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, f"A header block is not HPACK: {error}") from None


_ENCODER = Encoder()


def encode(lines: Iterable[tuple[str, str]]) -> bytes:
    """Return a header block, or a part of one, that changes no table."""
    # "never indexed": with an empty table of its own, the encoder has no state then
    return _ENCODER.encode(
        [(name.lower().encode("latin-1"), value.encode("latin-1"), True) for name, value in lines], huffman=False
    )
