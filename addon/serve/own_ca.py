"""The CA that signs the certificates for intercepted TLS: made at the first start."""

from __future__ import annotations

from addon.config.errors import ConfigError, Fault
from addon.config.settings import Settings
from addon.programs.trust.ca import ca_certificate


def make_ca(settings: Settings) -> None:
    """Make the CA for intercepted TLS if there is none; an edge needs none. Raises ConfigError if it cannot be used."""
    if settings.is_edge:
        return
    try:
        ca_certificate(settings.ca_directory)
    except OSError as error:
        problem = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise ConfigError(Fault("settings", "tls.directory", problem)) from None
