"""The plan for a region by arithmetic: nodes, servers of the Cluster, memory and network."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from cache.stores.redis.bodies import count_of
from tools.capacity.costs import MEASURED, Costs

BUSY = 0.5
"""The share of a core that is planned for: the other half is for peaks, and for servers that fail."""
HEAD = 1024
"""Bytes of a response's head, and of what belongs to a request and a reply in the protocol of the engine."""


@dataclass(frozen=True)
class Region:
    """The requests that a region has to take."""

    requests: float
    """Requests a second, over all nodes."""
    memory_hits: float
    """The share of requests that nodes answer from their memory, 0 to 1."""
    shared_hits: float
    """The share that the engine answers."""
    objects: int
    """Responses that are to be kept."""
    size: int
    """Bytes of a response, on average."""
    cores_per_node: int = 4
    """Workers of a node; each is a process of its own for the engine."""

    @property
    def misses(self) -> float:
        """The share of requests that go to origins."""
        return 1 - self.memory_hits - self.shared_hits


@dataclass(frozen=True)
class Plan:
    """The machines of a region."""

    nodes: int
    servers: int
    """Primary servers of the Cluster, each with one core."""
    server_memory: int
    """`maxmemory` of each of them, in bytes."""
    to_nodes: float
    """Bytes a second from the engine to all nodes."""
    from_nodes: float
    """Bytes a second from all nodes to the engine."""
    pushes: float
    """News of changes a second that the engine sends."""


def plan(region: Region, costs: Costs = MEASURED) -> Plan:
    """Return the machines that a region needs."""
    node_time = (
        region.memory_hits * costs.memory_hit + region.shared_hits * costs.shared_hit + region.misses * costs.miss
    )
    cores = region.requests * node_time / 1e6 / BUSY
    nodes = max(1, ceil(cores / region.cores_per_node))
    reads, stores = region.requests * (region.shared_hits + region.misses), region.requests * region.misses
    # every worker is told of every change of the others
    pushes = stores * (nodes * region.cores_per_node - 1)
    engine_time = reads * costs.engine_read + stores * costs.engine_store + pushes * costs.engine_push
    memory = region.objects * memory_of(region.size, costs)
    servers = ceil(engine_time / 1e6 / BUSY)
    servers = 1 if servers <= 1 else max(3, servers)  # a Cluster has three at least
    return Plan(
        nodes=nodes,
        servers=servers,
        server_memory=ceil(memory / servers * 1.2),
        to_nodes=reads * HEAD + region.requests * region.shared_hits * region.size + pushes * costs.push_size,
        from_nodes=reads * HEAD / 4 + stores * (region.size + 2 * HEAD),
        pushes=pushes,
    )


def memory_of(size: int, costs: Costs = MEASURED) -> int:
    """Return the bytes of the engine's memory for a response with a body of this size."""
    return size + costs.row_size + (count_of(size) - 1) * costs.chunk_overhead


def pays(requests: float, nodes: int, objects: int, lifetime: float) -> float:
    """Return by how many requests a second origins are relieved by a shared store, if all objects are in demand.

    Without it, each node fetches each object once in its lifetime; with it, all together do.

    Args:
        requests: Requests a second, over all nodes.
        nodes: The number of nodes.
        objects: Responses that are asked for, all equally often.
        lifetime: Seconds that a response is fresh.
    """

    def fetches(demand: float) -> float:
        # an object is fetched when it is first asked for after its lifetime
        return objects / (lifetime + objects / demand)

    return nodes * fetches(requests / nodes) - fetches(requests)
