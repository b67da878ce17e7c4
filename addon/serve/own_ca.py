"""The CA that signs the certificates for intercepted TLS: made at the first start."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from addon.config.errors import ConfigError, Fault
from addon.config.settings import Settings
from addon.config.user_folders import CA_FILE
from addon.programs.trust.ca import ca_certificate


def make_ca(settings: Settings) -> None:
    """Make the CA for intercepted TLS if there is none; an edge needs none. Raises ConfigError if it cannot be used."""
    if settings.is_edge:
        return
    with _refusing():
        ca_certificate(settings.ca_directory)


def check_ca(settings: Settings) -> None:
    """Raise ConfigError if `make_ca` would, as far as can be told without writing."""
    if settings.is_edge:
        return
    file = settings.ca_directory / CA_FILE
    with _refusing():
        if file.exists():
            ca_certificate(settings.ca_directory)
        else:
            _refuse_if_not_creatable(file)


@contextmanager
def _refusing() -> Iterator[None]:
    """Make an error of the CA a fault of the settings."""
    try:
        yield
    except OSError as error:
        problem = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise ConfigError(Fault("settings", "tls.directory", problem)) from None


def _refuse_if_not_creatable(file: Path) -> None:
    """Raise OSError if a file that is missing cannot be created, with the folders that are missing as well."""
    missing = file
    while not missing.parent.exists():
        missing = missing.parent
    folder = missing.parent
    if not folder.is_dir():
        problem = errno.ENOTDIR
    elif os.access(folder, os.W_OK | os.X_OK):
        return
    else:
        problem = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
    raise OSError(problem, os.strerror(problem), str(missing))
