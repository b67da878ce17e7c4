"""What there is to know about a server to measure it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tools.bench.place import Place
from tools.bench.process import Process

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
        self.processes: list[Process] = []
        self.start()

    def start(self) -> None:
        """Start it. Return when it listens."""
        peer, place = self.peer, self.place
        log = place.folder / "log"
        self.processes = [Process(peer.command(place), place.core, log, peer.environment(place))]
        self.processes[0].wait_for(place.port)
        if peer.beside:
            self.processes.append(Process(peer.beside(place), place.core, log))

    def restart(self) -> None:
        """End it and start it again on what it has kept. Return when it listens."""
        self.stop()
        self.start()

    def url(self, authority: str, path: str, *, tls: bool = False) -> str:
        """Return what stands in a request line."""
        return f"http://{authority}{path}" if self.peer.is_forward_proxy and not tls else path

    def cpu(self) -> float:
        """Return the seconds that it has computed."""
        return sum(process.cpu() for process in self.processes)

    def memory(self, name: str = "VmRSS") -> int:
        """Return octets of memory, all its processes together."""
        return sum(process.memory(name) for process in self.processes)

    def forget_peak_memory(self) -> None:
        """Let VmHWM count from here."""
        for process in self.processes:
            process.forget_peak_memory()

    def stop(self) -> None:
        """End it."""
        for process in reversed(self.processes):
            process.stop()
