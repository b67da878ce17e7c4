"""Decodes the Huffman code of HPACK (RFC 7541 §5.2) a byte at a time.

The library's state machine takes half a byte at a time. Its steps are joined in pairs here, which halves the time.
"""

from __future__ import annotations

from functools import cache

from hpack import HPACKDecodingError
from hpack.huffman_table import HUFFMAN_COMPLETE, HUFFMAN_EMIT_SYMBOL, HUFFMAN_FAIL, HUFFMAN_TABLE

STATES = 256
"""States of the machine: each is the beginning of a code."""


def decode_huffman(text: bytes) -> bytes:
    """Return the decoded text. Raises HPACKDecodingError."""
    next_states, decodings = _whole_steps()
    decoded, state = [], 0
    for byte in text:
        step = state << 8 | byte
        decoded.append(decodings[step])
        state = next_states[step]
    if state not in _COMPLETE or None in decoded:
        raise HPACKDecodingError("A string is not encoded in the Huffman code.")
    return b"".join(decoded)  # type: ignore[arg-type]  # the search above found no None


def _half_steps() -> tuple[list[bytes], list[list[bytes | None]]]:
    """Return, for each state, the next states and what is decoded, by the next half of a byte."""
    steps = [HUFFMAN_TABLE[start : start + 16] for start in range(0, 16 * STATES, 16)]
    next_states = [bytes([state for state, _, _ in row]) for row in steps]
    decoded = [[_symbol(flags, symbol) for _, flags, symbol in row] for row in steps]
    return next_states, decoded


def _symbol(flags: int, symbol: int) -> bytes | None:
    """Return what one step decodes, or None if no code begins so."""
    if flags & HUFFMAN_FAIL:
        return None
    return bytes([symbol]) if flags & HUFFMAN_EMIT_SYMBOL else b""


@cache  # it takes long, and not every process needs it
def _whole_steps() -> tuple[bytes, list[bytes | None]]:
    """Return the next states and what is decoded, by the state and the next byte."""
    next_halves, decoded_halves = _half_steps()
    next_states, decoded = bytearray(), list[bytes | None]()
    known: dict[bytes, bytes] = {}
    for state in range(STATES):
        for half in range(16):
            between, first = next_halves[state][half], decoded_halves[state][half]
            next_states += next_halves[between]
            decoded += [
                None if first is None or second is None else known.setdefault(first + second, first + second)
                for second in decoded_halves[between]
            ]
    return bytes(next_states), decoded


_COMPLETE = frozenset(state for state, flags, _ in HUFFMAN_TABLE if flags & HUFFMAN_COMPLETE)
"""The states in which a text may end: between codes, or within the padding."""
