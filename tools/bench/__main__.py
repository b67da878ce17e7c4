"""Measure secondhand and other caches side by side, on this machine."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.bench import page, printing
from tools.bench.comparisons import COMPARISONS, OURS, OURS_COMPILED, OURS_PLAIN, OURS_WORKERS, Comparison, comparison
from tools.bench.cores import assign_cores
from tools.bench.peers.mitmdump import MITMDUMP
from tools.bench.peers.nginx import NGINX
from tools.bench.peers.secondhand import secondhand
from tools.bench.peers.squid import SQUID, SQUID_DISK
from tools.bench.peers.varnish import VARNISH
from tools.bench.results import Results
from tools.bench.rounds import measure, problems
from tools.bench.scenario_result import ScenarioResult
from tools.bench.scenarios import denial_of_service, herd, hostile, idle, keys, large_body, large_store
from tools.bench.server_settings import MissingProgram, find_program
from tools.bench.testbed import RunOptions, Testbed, open_testbed
from tools.bench.workload import LoadFailed

PEERS = (SQUID, SQUID_DISK, NGINX, VARNISH, MITMDUMP)

SCENARIOS: dict[str, Callable[[Testbed], list[ScenarioResult]]] = {
    "herd": herd.measure,
    "keys": keys.measure,
    "large-store": large_store.measure,
    "large-body": large_body.measure,
    "idle": idle.measure,
    "denial-of-service": denial_of_service.measure,
    "hostile": hostile.measure,
}

NAMES = (*(each.name for each in COMPARISONS), *SCENARIOS)


def main() -> int:
    """Measure what the arguments name. Return 1 if a program is missing or a measurement is invalid, else 0."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _exit)
    names = arguments.names or NAMES
    try:
        options = _run_options(arguments)
        versions = {name: options.peers[name].version() for name in _required_peers(options, names)}
    except MissingProgram as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 1
    for name, version in versions.items():
        print(name, version)
    results = Results.read(arguments.results)
    results.versions |= versions
    results.machine, results.rounds, results.seconds = page.machine(), options.rounds, options.seconds
    failed = [name for name in names if not _measure(name, options, results)]
    results.write(arguments.results)
    if arguments.page or not arguments.names:
        page.write(results)
    return bool(failed)


def _exit(*_: object) -> None:
    """Exit on SIGTERM; ignore a second SIGTERM, which would leave the servers running."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def _run_options(arguments: argparse.Namespace) -> RunOptions:
    """Return the settings of the run. Raises MissingProgram."""
    find_program("wrk", "wrk")
    ours = [secondhand(OURS, arguments.secondhand)]
    if arguments.plain:
        ours.append(secondhand(OURS_PLAIN, arguments.plain))
    if arguments.compiled:
        ours.append(secondhand(OURS_COMPILED, arguments.compiled))
    if arguments.workers:
        ours.append(secondhand(OURS_WORKERS, arguments.secondhand, arguments.workers))
    return RunOptions(
        peers={peer.name: peer for peer in (*ours, *PEERS)},
        cores=assign_cores(),
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        connections=arguments.connections,
        secondhand=arguments.secondhand,
        only=frozenset(arguments.servers.split(",") if arguments.servers else ()),
        parent=arguments.folder,
    )


def _required_peers(options: RunOptions, names: Sequence[str]) -> list[str]:
    """Return the peers that the run needs: those to be measured, secondhand, and nginx, which is the origin."""
    measured = {server for each in COMPARISONS if each.name in names for server in each.servers}
    for scenario, servers in (("herd", herd.SERVERS), ("keys", keys.SERVERS)):
        if scenario in names:
            measured |= set(servers)
    available = options.available(options.peers)
    return [name for name in options.peers if (name in measured and name in available) or name in (OURS, "nginx")]


def _measure(name: str, options: RunOptions, results: Results) -> bool:
    """Measure a comparison or a scenario, print it and add it to the results. Return whether it is valid."""
    try:
        with open_testbed(options) as testbed:
            if name not in SCENARIOS:
                return _measure_comparison(comparison(name), testbed, results)
            results.scenarios[name] = SCENARIOS[name](testbed)
            print(printing.scenario(name, results.scenarios[name]), flush=True)
            return True
    except LoadFailed as failed:
        print(f"bench: {name}: {failed}", file=sys.stderr)
        return False


def _measure_comparison(each: Comparison, testbed: Testbed, results: Results) -> bool:
    figures = measure(each, testbed)
    print(printing.text(each, figures), flush=True)
    found = problems(each, figures, testbed.options.connections)
    for problem in found:
        print(f"bench: {each.name}: {problem}", file=sys.stderr)
    if not found:
        results.figures[each.name] = figures
    return not found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"comparisons and scenarios, all by default: {', '.join(NAMES)}"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each server is measured (default: 5)")
    parser.add_argument("--seconds", type=int, default=4, help="length of a round (default: 4)")
    parser.add_argument("--connections", type=int, default=32, help="client connections (default: 32)")
    parser.add_argument("--servers", metavar="NAME,...", help="measure only these servers")
    parser.add_argument(
        "--secondhand",
        type=Path,
        default=Path(sys.executable).parent / "secondhand",
        metavar="PATH",
        help="the program to measure (default: the one of this Python environment)",
    )
    parser.add_argument(
        "--plain",
        type=Path,
        metavar="PATH",
        help="the same on a second Python, measured beside the first",
    )
    parser.add_argument(
        "--compiled",
        type=Path,
        metavar="PATH",
        help="the same from the wheel that `make compiled` makes, measured beside the first",
    )
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="measure secondhand with so many worker processes as well, all on the core of one",
    )
    parser.add_argument("--folder", help="where servers keep their files (default: the system's temporary folder)")
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("build/bench.json"),
        help="the file that collects the results of several runs (default: build/bench.json)",
    )
    parser.add_argument("--page", action="store_true", help="write docs/performance.md even if names are given")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"expected names of {', '.join(NAMES)}, not {', '.join(sorted(unknown))}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
