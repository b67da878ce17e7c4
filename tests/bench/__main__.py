"""`make bench`: ours and the others, side by side."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench import printing
from tests.bench.cores import cores
from tests.bench.lines import LINES, OURS, Line
from tests.bench.origin import Origin
from tests.bench.peers.mitmdump import MITMDUMP
from tests.bench.peers.nginx import NGINX
from tests.bench.peers.peer import Peer, start
from tests.bench.peers.secondhand import secondhand
from tests.bench.peers.squid import SQUID, SQUID_DISK
from tests.bench.peers.varnish import VARNISH
from tests.bench.place import Missing, program
from tests.bench.rounds import Figures, complaints, measure
from tests.bench.work import LoadFailed

CONNECTIONS = 32


def main() -> int:
    """Measure what the arguments say. Return 1 if something is missing or was not what it should have been."""
    chosen = _arguments()
    try:
        peers = {peer.name: peer for peer in (SQUID, SQUID_DISK, NGINX, VARNISH, MITMDUMP)}
        peers[OURS] = secondhand(chosen.secondhand)
        program("wrk", "wrk")
        lines = [line for line in LINES if not chosen.lines or line.name in chosen.lines]
        wanted = [name for name in peers if any(name in line.servers for line in lines) and _is_chosen(name, chosen)]
        for name in wanted:
            print(f"{name} {peers[name].version()}")
        return max(_line(line, peers, chosen) for line in lines)
    except Missing as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 1


def _is_chosen(name: str, chosen: argparse.Namespace) -> bool:
    return not chosen.servers or name in chosen.servers.split(",")


def _line(line: Line, peers: dict[str, Peer], chosen: argparse.Namespace) -> int:
    """Measure one line and print it; return 1 if it is worth nothing."""
    try:
        figures = _measured(line, [peers[name] for name in line.servers if _is_chosen(name, chosen)], chosen)
    except LoadFailed as failed:
        print(f"bench: {line.name}: {failed}", file=sys.stderr)
        return 1
    print(printing.text(line, figures), flush=True)
    found = complaints(line, figures, chosen.connections)
    for one in found:
        print(f"bench: {line.name}: {one}", file=sys.stderr)
    return bool(found)


def _measured(line: Line, peers: list[Peer], chosen: argparse.Namespace) -> dict[str, Figures]:
    working = cores()
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="secondhand-bench-", dir=chosen.folder))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)  # some servers give up root, and must still reach theirs
        origin = stack.enter_context(Origin(folder / "origin", working.origin))
        servers = []
        for peer in peers:
            servers.append(start(peer, folder, origin.port, origin.tls_port, origin.authority, working.server))
            stack.callback(servers[-1].stop)
        return measure(line, servers, origin, working, chosen.rounds, chosen.seconds, chosen.connections)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("lines", nargs="*", metavar="LINE", help=", ".join(line.name for line in LINES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each round")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--servers", help="only these, with commas between")
    parser.add_argument("--secondhand", type=Path, default=Path(sys.executable).parent / "secondhand", metavar="PATH")
    parser.add_argument("--folder", help="where servers keep their files, by default the system's for temporary ones")
    chosen = parser.parse_args()
    if unknown := set(chosen.lines) - {line.name for line in LINES}:
        parser.error(f"expected lines of {', '.join(line.name for line in LINES)}, not {', '.join(sorted(unknown))}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
