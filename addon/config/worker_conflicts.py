"""Refuses several workers where they cannot work together: without a shared store, and with mitmproxy."""

from __future__ import annotations

from addon.config.errors import ConfigError, Fault
from addon.config.load import Configuration


def refuse_workers_without_a_shared_store(configuration: Configuration) -> None:
    """Raise ConfigError if several workers would have a store in memory each."""
    settings = configuration.settings
    if settings.worker_count == 1 or settings.store.kind != "memory":
        return
    problem = (
        f'found {settings.workers}, expected 1 with store.kind = "memory": each worker would have a store of its own,'
        ' and a purge would not reach all; or set store.kind = "disk", whose copies are kept in memory as well'
    )
    raise ConfigError(Fault(configuration.source("workers") or "settings", "workers", problem))


def refuse_workers_with_mitmproxy(configuration: Configuration) -> None:
    """Raise ConfigError if several workers are asked for where mitmproxy listens."""
    settings = configuration.settings
    if settings.worker_count > 1:
        problem = f"found {settings.workers}, expected 1 with --script, --mode or --no-door: mitmproxy is one process"
        raise ConfigError(Fault(configuration.source("workers") or "settings", "workers", problem))
