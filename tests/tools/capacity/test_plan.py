"""The plan for a region: more of anything never needs less of anything."""

from __future__ import annotations

from dataclasses import replace

from tools.capacity.costs import MEASURED
from tools.capacity.plan import Region, memory_of, pays, plan

REGION = Region(20_000, memory_hits=0.9, shared_hits=0.09, objects=1_000_000, size=16_384)


def test_a_small_region_needs_one_server_and_a_larger_one_a_cluster_of_three() -> None:
    assert plan(replace(REGION, requests=500, objects=1000)).servers == 1
    assert plan(replace(REGION, requests=100_000)).servers >= 3


def test_twice_the_requests_need_about_twice_the_nodes() -> None:
    one, two = plan(REGION), plan(replace(REGION, requests=2 * REGION.requests))
    assert 1.5 * one.nodes <= two.nodes <= 2 * one.nodes
    assert two.pushes > 2 * one.pushes  # more changes, of which more nodes are told


def test_more_hits_in_memory_relieve_everything() -> None:
    busy = replace(REGION, requests=500_000)
    usual, better = plan(busy), plan(replace(busy, memory_hits=0.99, shared_hits=0.009))
    assert better.nodes < usual.nodes
    assert better.to_nodes < usual.to_nodes
    assert better.servers < usual.servers


def test_memory_is_that_of_all_chunks() -> None:
    assert memory_of(1000) == 1000 + MEASURED.row_size
    assert memory_of(1_000_000) == 1_000_000 + MEASURED.row_size + 3 * MEASURED.chunk_overhead


def test_one_node_gains_nothing_from_a_shared_store_and_many_gain_much() -> None:
    assert pays(1000, 1, 1000, 60) == 0
    assert pays(1000, 2, 1000, 60) < pays(1000, 10, 1000, 60)
    assert pays(1000, 10, 1000, 60) > 100
