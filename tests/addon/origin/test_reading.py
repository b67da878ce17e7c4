"""The size of the pieces that are read from an origin."""

from __future__ import annotations

import pytest

from addon.origin.reading import FIRST_PIECE, LARGEST_PIECE, PiecewiseProtocol, may_wait

MIB = 2**20


@pytest.mark.parametrize(
    ("received", "allowed"),
    [(0, FIRST_PIECE), (200_000, FIRST_PIECE), (MIB, MIB // 8), (100 * MIB, LARGEST_PIECE)],
)
def test_more_may_wait_for_a_reader_that_has_taken_much(received: int, allowed: int) -> None:
    assert may_wait(received) == allowed


def test_each_connection_gets_its_own_pieces_from_the_common_buffer() -> None:
    class Collecting(PiecewiseProtocol):
        def __init__(self) -> None:
            self.pieces: list[bytes] = []

        def readable(self) -> int:
            return 3

        def data_received(self, data: bytes) -> None:
            self.pieces.append(data)

    connections = Collecting(), Collecting()
    for number, piece in enumerate((b"abc", b"ABC", b"de", b"DE")):
        connection = connections[number % 2]
        buffer = memoryview(connection.get_buffer(-1))
        assert len(buffer) == 3
        buffer[: len(piece)] = piece
        connection.buffer_updated(len(piece))
    assert [connection.pieces for connection in connections] == [[b"abc", b"de"], [b"ABC", b"DE"]]
