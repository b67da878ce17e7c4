"""`make bench`: ours and the others, side by side."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.bench import page, printing
from tools.bench.cores import cores
from tools.bench.finding import Finding
from tools.bench.lines import LINES, OURS, Line
from tools.bench.peers.mitmdump import MITMDUMP
from tools.bench.peers.nginx import NGINX
from tools.bench.peers.secondhand import secondhand
from tools.bench.peers.squid import SQUID, SQUID_DISK
from tools.bench.peers.varnish import VARNISH
from tools.bench.place import Missing, program
from tools.bench.results import Results
from tools.bench.rounds import complaints, measure
from tools.bench.scenarios import herd, hostile, idle, keys, large_body, large_store
from tools.bench.stage import Bench, Stage, stage
from tools.bench.work import LoadFailed

PEERS = (SQUID, SQUID_DISK, NGINX, VARNISH, MITMDUMP)

SCENARIOS: dict[str, Callable[[Stage], list[Finding]]] = {
    "herd": herd.measure,
    "keys": keys.measure,
    "large-store": large_store.measure,
    "large-body": large_body.measure,
    "idle": idle.measure,
    "hostile": hostile.measure,
}

NAMES = (*(line.name for line in LINES), *SCENARIOS)


def main() -> int:
    """Measure what the arguments say. Return 1 if something is missing or was not what it should have been."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, _end)
    names = chosen.lines or NAMES
    try:
        bench = _bench(chosen)
        versions = {name: bench.peers[name].version() for name in _needed(bench, names)}
    except Missing as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 1
    for name, version in versions.items():
        print(name, version)
    results = Results.read(chosen.results)
    results.versions |= versions
    results.machine, results.rounds, results.seconds = page.machine(), bench.rounds, bench.seconds
    failed = [name for name in names if not _measured(name, bench, results)]
    results.write(chosen.results)
    if chosen.page or not chosen.lines:
        page.write(results)
    return bool(failed)


def _end(*_: object) -> None:
    """End, and let nothing keep what was started from being ended too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def _bench(chosen: argparse.Namespace) -> Bench:
    """Return what the run shares. Raises Missing."""
    program("wrk", "wrk")
    ours = secondhand(chosen.secondhand)
    return Bench(
        peers={peer.name: peer for peer in (ours, *PEERS)},
        cores=cores(),
        rounds=chosen.rounds,
        seconds=chosen.seconds,
        connections=chosen.connections,
        secondhand=chosen.secondhand,
        chosen=frozenset(chosen.servers.split(",") if chosen.servers else ()),
        parent=chosen.folder,
    )


def _needed(bench: Bench, names: Sequence[str]) -> list[str]:
    """The peers that some of the lines measure; nginx is every origin too."""
    named = {name for line in LINES if line.name in names for name in line.servers}
    if "herd" in names:
        named |= set(herd.SERVERS)
    return [name for name in bench.peers if (name in named and bench.wants(name)) or name in (OURS, "nginx")]


def _measured(name: str, bench: Bench, results: Results) -> bool:
    """Measure one line or scenario and print it; tell whether it is worth something."""
    try:
        with stage(bench) as place:
            if name in SCENARIOS:
                results.findings[name] = SCENARIOS[name](place)
                print(printing.findings(name, results.findings[name]), flush=True)
                return True
            return _line(next(line for line in LINES if line.name == name), place, results)
    except LoadFailed as failed:
        print(f"bench: {name}: {failed}", file=sys.stderr)
        return False


def _line(line: Line, place: Stage, results: Results) -> bool:
    figures = measure(line, place)
    print(printing.text(line, figures), flush=True)
    wrong = complaints(line, figures, place.bench.connections)
    for one in wrong:
        print(f"bench: {line.name}: {one}", file=sys.stderr)
    if not wrong:
        results.figures[line.name] = figures
    return not wrong


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("lines", nargs="*", metavar="LINE", help=f"all if none is named: {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each round")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--servers", metavar="NAME,...", help="only these")
    parser.add_argument("--secondhand", type=Path, default=Path(sys.executable).parent / "secondhand", metavar="PATH")
    parser.add_argument("--folder", help="where servers keep their files, by default the system's for temporary ones")
    parser.add_argument("--results", type=Path, default=Path("build/bench.json"), help="where figures are collected")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md even if lines are named")
    chosen = parser.parse_args()
    if unknown := set(chosen.lines) - set(NAMES):
        parser.error(f"expected lines of {', '.join(NAMES)}, not {', '.join(sorted(unknown))}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
