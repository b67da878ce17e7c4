"""A server program that can be measured, and a running server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tools.bench.process import Process
from tools.bench.server_settings import ServerSettings

type Command = list[str]


@dataclass(frozen=True, slots=True)
class Peer:
    """A server program that can be measured. Its callables raise MissingProgram if it is not installed."""

    name: str
    is_forward_proxy: bool
    """Requests have the target in absolute form (RFC 9112 §3.2.2); else in origin form."""
    command: Callable[[ServerSettings], Command]
    """Writes the configuration and returns the command that starts the server."""
    version: Callable[[], str]
    companion: Callable[[ServerSettings], Command] | None = None
    """Returns the command of a second program, started when the server listens: for example one that writes its log."""
    environment: Callable[[ServerSettings], Mapping[str, str] | None] = field(default=lambda settings: None)
    """Returns the environment; None: the one of this process."""


class Server:
    """A running server."""

    def __init__(self, peer: Peer, settings: ServerSettings) -> None:
        self.peer, self.settings = peer, settings
        self._processes: list[Process] = []
        self.start()

    def start(self) -> None:
        """Start the server and return when it listens."""
        peer, settings = self.peer, self.settings
        log = settings.folder / "log"
        self._processes = [Process(peer.command(settings), settings.core, log, peer.environment(settings))]
        self._processes[0].wait_for(settings.port)
        if peer.companion:
            self._processes.append(Process(peer.companion(settings), settings.core, log))

    def request_target(self, authority: str, path: str, *, tls: bool = False) -> str:
        """Return the request target for the request line (RFC 9112 §3.2)."""
        return f"http://{authority}{path}" if self.peer.is_forward_proxy and not tls else path

    def cpu(self) -> float:
        """Return the CPU time of all its processes, in seconds."""
        return sum(process.cpu() for process in self._processes)

    def memory(self, name: str = "VmRSS") -> int:
        """Return the memory of all its processes, in bytes. `name`: VmRSS for now, VmHWM for the peaks."""
        return sum(process.memory(name) for process in self._processes)

    def reset_peak_memory(self) -> None:
        """Make VmHWM start again from the present memory."""
        for process in self._processes:
            process.reset_peak_memory()

    def stop(self) -> None:
        """Stop all its processes."""
        for process in reversed(self._processes):
            process.stop()
