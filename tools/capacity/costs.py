"""Costs of single operations, as `measure` has found them. A plan multiplies them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """CPU times in microseconds of one core, for responses of 1 KiB, and sizes in bytes."""

    memory_hit: float
    """A node: a response from its memory."""
    shared_hit: float
    """A node: a response from the engine."""
    miss: float
    """A node: a response from an origin, which is stored in the engine."""
    engine_read: float
    """The engine: a row and a body are read."""
    engine_store: float
    """The engine: a response is stored, with its lease."""
    engine_push: float
    """The engine: one node is told of one change."""
    row_size: int
    """The engine's memory for a response of one chunk, apart from its content."""
    chunk_overhead: int
    """The engine's memory for each further chunk, apart from its content."""
    push_size: int
    """Bytes on the network by which one node is told of one change."""


MEASURED = Costs(
    memory_hit=10,
    shared_hit=520,
    miss=1320,
    engine_read=30,
    engine_store=200,
    engine_push=9,
    row_size=1028,
    chunk_overhead=417,
    push_size=74,
)
"""The costs on the machine that `docs/capacity.md` names."""
