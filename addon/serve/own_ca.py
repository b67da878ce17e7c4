"""The CA that signs the certificates for intercepted TLS: made at the first start."""

from __future__ import annotations

from addon.config.errors import ConfigError, Fault
from addon.config.settings import Settings
from addon.programs.trust.ca import ca_certificate


def make_ca(settings: Settings) -> None:
    """Make the CA for intercepted TLS if there is none. Raises ConfigError if it cannot be used."""
    try:
        ca_certificate(settings.tls.ca_directory)
    except OSError as error:
        raise ConfigError(Fault("settings", "tls.directory", str(error))) from None
