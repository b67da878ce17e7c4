"""What there is to know about a server to measure it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.place import Place
from tests.bench.process import Process, free_port

type Command = list[str]


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that can be started in a place."""

    name: str
    is_forward_proxy: bool
    """Asked with the whole URL, as a client's proxy is; else as the origin itself is."""
    command: Callable[[Place], Command]
    """Writes the configuration and returns what to run. Raises Missing."""
    version: Callable[[], str]
    """Raises Missing."""
    beside: Callable[[Place], Command] | None = None
    """What to run beside it once it listens, like a program that writes its log."""
    environment: Callable[[Place], Mapping[str, str] | None] = field(default=lambda place: None)


class Server:
    """A peer that runs."""

    def __init__(self, peer: Peer, place: Place) -> None:
        self.peer, self.place = peer, place
        log = place.folder / "log"
        self.processes = [Process(peer.command(place), place.core, log, peer.environment(place))]
        self.processes[0].wait_for(place.port)
        if peer.beside:
            self.processes.append(Process(peer.beside(place), place.core, log))

    def url(self, path: str, *, tls: bool = False) -> str:
        """Return what stands in a request line for a path at the origin."""
        if not self.peer.is_forward_proxy or tls:
            return path
        return f"http://127.0.0.1:{self.place.origin}{path}"

    def cpu(self) -> float:
        """Return the seconds that it has computed."""
        return sum(process.cpu() for process in self.processes)

    def memory(self, name: str = "VmRSS") -> int:
        """Return octets of memory, all its processes together."""
        return sum(process.memory(name) for process in self.processes)

    def stop(self) -> None:
        """End it."""
        for process in reversed(self.processes):
            process.stop()


def start(peer: Peer, parent: Path, origin: int, origin_tls: int, authority: Path, core: int) -> Server:
    """Start a peer in a new folder under `parent`. Raises Missing."""
    folder = parent / peer.name
    folder.mkdir(parents=True)
    return Server(peer, Place(folder, free_port(), origin, origin_tls, authority, core))
