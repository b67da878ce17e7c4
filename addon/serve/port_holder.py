"""Finds the running proxy that already listens on a port."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from addon.runtime.control_client import ControlError, running_proxies


def process_listening_on(port: int, store: Path) -> int | None:
    """Return the id of the process of a proxy on this store that listens on a port, or None if none is known."""
    return next((process for process, ports in _listening(store) if port in ports), None)


def _listening(store: Path) -> Iterator[tuple[int, list[int]]]:
    """Yield the process id of each proxy on a store, its supervisor's if it has one, and the ports it listens on."""
    try:
        proxies = running_proxies(store)
    except OSError:  # no permission for the store
        return
    for proxy in proxies:
        try:
            status = proxy.ask("status")
        except ControlError:
            continue
        match status:
            case {"listen": list(listen), "supervisor": int(process)}:
                pass
            case {"listen": list(listen), "workers": [{"pid": int(process)}, *_]}:
                pass
            case _:
                continue
        yield process, [int(str(address).rpartition(":")[2]) for address in listen]
