"""The stage of one measurement: a folder, the origin, servers as they are asked for; all is gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.cores import Cores
from tools.bench.origin import Origin
from tools.bench.peers.peer import Peer, Server
from tools.bench.place import Place
from tools.bench.process import free_port


@dataclass(frozen=True, slots=True)
class Bench:
    """What the whole run shares."""

    peers: Mapping[str, Peer]
    cores: Cores
    rounds: int
    seconds: int
    connections: int
    secondhand: Path
    chosen: frozenset[str]
    """Names of the servers to measure; empty: all."""
    parent: str | None
    """Where folders are made; None: where the system has its temporary ones."""

    def wants(self, name: str) -> bool:
        """Tell whether a server is to be measured."""
        return not self.chosen or name in self.chosen


@dataclass(frozen=True, slots=True)
class Stage:
    """What one measurement has."""

    bench: Bench
    folder: Path
    origin: Origin
    ending: ExitStack = field(repr=False)

    def start(self, name: str, prepare: Callable[[Place], None] = lambda place: None, **variables: str) -> Server:
        """Start a server in a new folder, after `prepare` has been there. Raises Missing.

        Args:
            name: of the peer.
            prepare: puts something in the folder beforehand, like a store.
            variables: added to its environment, for what its defaults exclude.
        """
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        folder.chmod(0o755)  # some servers give up root, and must still reach theirs
        ports = free_port(), self.origin.port, self.origin.tls_port
        place = Place(folder, *ports, self.origin.authority, self.bench.cores.server, variables)
        prepare(place)
        server = Server(self.bench.peers[name], place)
        self.ending.callback(server.stop)
        return server


@contextmanager
def stage(bench: Bench) -> Iterator[Stage]:
    """Set up the folder and the origin, and clear away whatever came there."""
    with ExitStack() as ending:
        folder = Path(tempfile.mkdtemp(prefix="secondhand-bench-", dir=bench.parent))
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        origin = ending.enter_context(Origin(folder / "origin", bench.cores.origin))
        yield Stage(bench, folder, origin, ending)
