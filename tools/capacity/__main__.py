"""Print what the costs are, what a region needs, and what a simulation of it gives."""

from __future__ import annotations

import argparse

from tools.capacity.plan import Region, pays, plan
from tools.capacity.simulation import World, simulate


def main() -> None:
    """Measure, or print the tables of `docs/capacity.md`."""
    parser = argparse.ArgumentParser(prog="capacity", description=__doc__)
    parser.add_argument("what", choices=("measure", "plan", "simulate"))
    match parser.parse_args().what:
        case "measure":
            from tools.capacity.measure import measure  # it starts servers

            for name, cost in measure().items():
                print(f"{name:15} {cost:10.1f}")
        case "plan":
            print_plans()
        case "simulate":
            print_simulation()


def print_plans() -> None:
    """Print the machines for regions of several sizes."""
    columns = ("requests/s", "objects", "nodes of 4 cores", "servers", "memory of each", "engine to nodes")
    print(f"| {' | '.join(columns)} | nodes to engine | news/s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for requests, objects in ((2_000, 200_000), (20_000, 1_000_000), (100_000, 5_000_000), (500_000, 20_000_000)):
        made = plan(Region(requests, memory_hits=0.9, shared_hits=0.09, objects=objects, size=16_384))
        print(
            f"| {requests:,} | {objects:,} | {made.nodes} | {made.servers} | {made.server_memory / 2**30:.1f} GiB"
            f" | {made.to_nodes / 2**20:.0f} MiB/s | {made.from_nodes / 2**20:.0f} MiB/s | {made.pushes:,.0f} |"
        )


def print_simulation() -> None:
    """Print shares of hits with and without a shared store, by the number of nodes."""
    print("| nodes | shared store | from memory | from the engine | from origins | to the engine/s | news/s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for nodes in (1, 3, 10, 30):
        for is_shared in (False, True):
            world = World(nodes, 50_000, 5_000, rate=2_000, lifetime=300, purges=1, is_shared=is_shared)
            outcome = simulate(world, 400_000)
            print(
                f"| {nodes} | {'yes' if is_shared else 'no'} | {outcome.memory_hits:.1%} | {outcome.shared_hits:.1%}"
                f" | {outcome.misses:.1%} | {outcome.reads:.0f} | {outcome.pushes:.0f} |"
            )
    print(f"\nrequests/s that origins are relieved of, 10 nodes, all objects alike: {pays(2_000, 10, 50_000, 300):.0f}")


if __name__ == "__main__":
    main()
