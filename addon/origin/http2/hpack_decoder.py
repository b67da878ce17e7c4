"""Decodes HPACK (RFC 7541) in a time that grows with the block. The tables and the Huffman code are the library's.

The library's own decoder copies the rest of the block for each field, and takes any number of changes of the table's
size, so that one block of 64 KiB could take a tenth of a second.
"""

from __future__ import annotations

from functools import lru_cache

from hpack import HPACKDecodingError, HPACKError, OversizedHeaderListError
from hpack.table import HeaderTable

from addon.origin.http2.huffman import decode_huffman

TABLE_SIZE = 4096
"""Bytes that the table may have. Origins are asked to use none, and those that do nevertheless are understood."""

ENTRY_OVERHEAD = 32
"""Bytes that each field counts more than its name and value (RFC 7541 §4.1)."""

SHORT = 126
"""Bytes of the longest name and value whose length takes one byte (RFC 7541 §5.1)."""

MAX_SIZE_UPDATES = 2
"""Changes of the table's size at the start of a block: the smallest one, and the last one (RFC 7541 §4.2)."""

MAX_INTEGER = 2**28
"""Integers of this proxy's peers are shorter; RFC 7541 §5.1 lets each side have a limit."""


class HpackDecoder:
    """Decodes the header blocks of one connection, in their order.

    Attributes:
        table_changed: The block that was decoded last has changed the table.
    """

    def __init__(self, max_list_size: int) -> None:
        """Decode header lists of at most `max_list_size` bytes, with ENTRY_OVERHEAD added for each field."""
        self.table_changed = False
        self._max_list_size = max_list_size
        self._table = HeaderTable()
        self._block = b""
        self._position = 0

    def decode(self, block: bytes) -> list[tuple[bytes, bytes]]:
        """Return the fields of a header block.

        Raises:
            HPACKError: it is not HPACK.
            OversizedHeaderListError: it has more fields than allowed, and was not decoded to its end.
        """
        self._block, self._position, self.table_changed = block, 0, False
        try:
            return self._fields()
        finally:
            self._block = b""  # it can be large, and the connection may be idle for long now

    def _fields(self) -> list[tuple[bytes, bytes]]:
        """Return the fields of the block. Raises as `decode`."""
        block = self._block
        self._change_size()
        found, size = [], 0
        while self._position < len(block):
            field = self._field(block[self._position])
            size += len(field[0]) + len(field[1]) + ENTRY_OVERHEAD
            if size > self._max_list_size:
                raise OversizedHeaderListError
            found.append(field)
        return found

    def _change_size(self) -> None:
        """Take the changes of the table's size that the block begins with (RFC 7541 §6.3)."""
        updates = 0
        while self._position < len(self._block) and self._block[self._position] & 0xE0 == 0x20:
            size, updates = self._integer(0x1F), updates + 1
            if size > TABLE_SIZE or updates > MAX_SIZE_UPDATES:
                raise HPACKError("The size of the table is changed too often, or to more than allowed.")
            self.table_changed |= size != self._table.maxsize
            self._table.maxsize = size

    def _field(self, first: int) -> tuple[bytes, bytes]:
        """Return the field that begins with this byte (RFC 7541 §6)."""
        if first & 0x80:
            name, value = self._table.get_by_index(self._integer(0x7F))
            return name, value
        if first & 0x60 == 0x20:
            raise HPACKDecodingError("The size of the table is changed after a field.")
        mask = 0x3F if first & 0x40 else 0x0F
        end = _end_of_short_literal(self._block, self._position, mask)
        if end:
            field = _short_literal(self._block[self._position : end])
            self._position = end
        else:
            field = self._literal(mask)
        if first & 0x40:
            self._add(field)
        return field

    def literal(self, block: bytes) -> tuple[bytes, bytes]:
        """Return the field in a block that is one literal. Raises HPACKError."""
        self._block, self._position = block, 0
        return self._literal(0x3F if block[0] & 0x40 else 0x0F)

    def _add(self, field: tuple[bytes, bytes]) -> None:
        """Add a field to the table. One that is too large only empties it (RFC 7541 §4.4), as all are for nginx."""
        size = len(field[0]) + len(field[1]) + ENTRY_OVERHEAD
        if size <= self._table.maxsize or self._table.dynamic_entries:
            self._table.add(*field)
            self.table_changed = True

    def _literal(self, mask: int) -> tuple[bytes, bytes]:
        index = self._integer(mask)
        return self._table.get_by_index(index)[0] if index else self._string(), self._string()

    def _string(self) -> bytes:
        """Read a string (RFC 7541 §5.2)."""
        first = self._peek()
        length = self._integer(0x7F)
        start = self._position
        self._position = end = start + length
        if end > len(self._block):
            raise HPACKDecodingError("A string is longer than the block.")
        return decode_huffman(self._block[start:end]) if first & 0x80 else self._block[start:end]

    def _integer(self, mask: int) -> int:
        """Read an integer whose first bits are those of the mask (RFC 7541 §5.1)."""
        position, block = self._position, self._block
        if position >= len(block):
            raise HPACKDecodingError("The block ends within a field.")
        number = block[position] & mask
        self._position = position + 1
        if number < mask:
            return number
        shift = 0
        while True:
            byte = self._peek()
            self._position += 1
            number += (byte & 0x7F) << shift
            shift += 7
            if number > MAX_INTEGER or shift > MAX_INTEGER.bit_length():
                raise HPACKDecodingError("An integer is too large.")
            if byte < 0x80:
                return number

    def _peek(self) -> int:
        if self._position >= len(self._block):
            raise HPACKDecodingError("The block ends within a field.")
        return self._block[self._position]


def _end_of_short_literal(block: bytes, position: int, mask: int) -> int:
    """Return where a literal field ends that does not depend on the table, or 0 if it does, or is long or incomplete.

    `mask` has the bits of its first byte with the index of its name.
    """
    try:
        index, position = block[position] & mask, position + 1
        if index == 0:
            length = block[position] & 0x7F
            position += 1 + length
            if length > SHORT:
                return 0
        elif index == mask or index > HeaderTable.STATIC_TABLE_LENGTH:
            return 0
        length = block[position] & 0x7F
    except IndexError:
        return 0
    end = position + 1 + length
    return end if length <= SHORT and end <= len(block) else 0


@lru_cache(maxsize=1024)  # origins repeat fields, also those that send no two equal heads
def _short_literal(literal: bytes) -> tuple[bytes, bytes]:
    """Return the field of a literal that does not depend on the table. Raises HPACKError."""
    return HpackDecoder(0).literal(literal)
