"""The testbed of one measurement: a folder, an origin, and servers started on request; all removed at its end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.bench.cores import Cores
from tools.bench.fresh_file_system import fresh_file_system
from tools.bench.origin import Origin
from tools.bench.peers.peer import Peer, Server
from tools.bench.process import free_port
from tools.bench.server_settings import ServerSettings


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Settings that all measurements of a run share."""

    peers: Mapping[str, Peer]
    """By name."""
    cores: Cores
    rounds: int
    seconds: int
    """Length of a round."""
    connections: int
    secondhand: Path
    """The program to measure."""
    only: frozenset[str]
    """Names of the servers to measure; empty: all."""
    parent: str | None
    """The folder in which temporary folders are made; None: the system's default."""

    def available(self, names: Iterable[str]) -> list[str]:
        """Return which of these servers are to be measured, in the same order."""
        return [name for name in names if name in self.peers and (not self.only or name in self.only)]


@dataclass(frozen=True, slots=True)
class Testbed:
    """The folder and the origin of one measurement. It starts servers, and stops them when the measurement ends."""

    options: RunOptions
    folder: Path
    origin: Origin
    cleanup: ExitStack = field(repr=False)

    def start_server(
        self, name: str, prepare: Callable[[ServerSettings], None] = lambda settings: None, **variables: str
    ) -> Server:
        """Start a server in a new folder. Raises MissingProgram.

        Args:
            name: of the peer.
            prepare: called before the start, for example to put a filled store into the folder.
            variables: environment variables, where a measurement needs another setting than the default.
        """
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        folder.chmod(0o755)  # some servers drop root privileges, and must still reach their folder
        settings = ServerSettings(
            folder=folder,
            port=free_port(),
            origin_port=self.origin.port,
            origin_tls_port=self.origin.tls_port,
            origin_ca_file=self.origin.ca_file,
            core=self.options.cores.server,
            http2_port=free_port(),
            variables=variables,
        )
        prepare(settings)
        server = Server(self.options.peers[name], settings)
        self.cleanup.callback(server.stop)
        return server


@contextmanager
def open_testbed(options: RunOptions) -> Iterator[Testbed]:
    """Make the folder, on a new file system if possible, and start the origin; at the end, delete everything."""
    with ExitStack() as cleanup:
        folder = Path(tempfile.mkdtemp(prefix="secondhand-bench-", dir=options.parent))
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        folder = cleanup.enter_context(fresh_file_system(folder))
        folder.chmod(0o755)
        origin = cleanup.enter_context(Origin(folder / "origin", options.cores.origin))
        yield Testbed(options, folder, origin, cleanup)
