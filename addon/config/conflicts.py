"""Refuses settings of which each is valid by itself, but which cannot work together."""

from __future__ import annotations

from addon.config.certificate_checks import refuse_tls_without_use
from addon.config.exposure import refuse_exposure
from addon.config.https_redirects import refuse_endless_redirects
from addon.config.load import Configuration
from addon.config.worker_conflicts import refuse_workers_without_a_shared_store


def refuse_conflicts(configuration: Configuration) -> None:
    """Raise ConfigError if settings of a proxy conflict. `secondhand serve` and `secondhand config check` call it."""
    refuse_exposure(configuration)
    refuse_workers_without_a_shared_store(configuration)
    refuse_tls_without_use(configuration)
    refuse_endless_redirects(configuration)
