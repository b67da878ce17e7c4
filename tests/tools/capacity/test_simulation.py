"""The simulation of nodes with a shared store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.capacity.simulation import World, simulate

WORLD = World(nodes=4, objects=2000, memory=200, rate=1000, lifetime=60)
REQUESTS = 20_000


def test_all_requests_are_answered_somehow() -> None:
    outcome = simulate(WORLD, REQUESTS)
    assert outcome.memory_hits + outcome.shared_hits + outcome.misses == pytest.approx(1)
    assert min(outcome.memory_hits, outcome.shared_hits, outcome.misses) > 0


def test_a_shared_store_relieves_origins() -> None:
    alone = simulate(replace(WORLD, is_shared=False), REQUESTS)
    assert alone.shared_hits == 0
    assert simulate(WORLD, REQUESTS).misses < alone.misses / 2


def test_with_room_for_everything_and_no_changes_all_is_in_memory() -> None:
    world = World(nodes=2, objects=50, memory=50, rate=1000, lifetime=1e9)
    outcome = simulate(world, REQUESTS)
    assert outcome.memory_hits == 1
    assert outcome.pushes == 0


def test_every_change_is_told_to_all_other_nodes() -> None:
    outcome = simulate(WORLD, REQUESTS)
    assert outcome.pushes == pytest.approx(outcome.misses * WORLD.rate * (WORLD.nodes - 1))


def test_a_simulation_can_be_repeated() -> None:
    assert simulate(WORLD, 1000, seed=5) == simulate(WORLD, 1000, seed=5)
