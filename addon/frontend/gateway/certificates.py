"""The certificates of an edge as they were when they could last be used."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from addon.config.certificate_files import CertificateFiles, CertificateProblem
from addon.config.site_tls import CertificatePair
from addon.frontend.gateway.client_tls import ClientTls
from addon.frontend.gateway.server_contexts import load, server_context

logger = logging.getLogger(__name__)

Seen = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class LoadedCertificates:
    """Certificates for the same hosts, one for each kind of key, and a context that has them."""

    files: tuple[CertificateFiles, ...]
    context: ssl.SSLContext


class Certificates:
    """The content of certificate files, and the context that every handshake begins with.

    It is made before workers are forked. So they share the keys of session tickets, which belong to that context, and
    a worker that starts while files cannot be used has what they were before.

    Attributes:
        entrance: The context that handshakes begin with; the server name that a client sends leads to another one.
    """

    def __init__(self) -> None:
        self.entrance = server_context()
        self.entrance.sslobject_class = ClientTls
        self._usable: dict[CertificatePair, CertificateFiles] = {}
        self._seen: dict[CertificatePair, Seen] = {}
        self._reported: dict[CertificatePair, Seen] = {}

    def read(self, pairs: Iterable[CertificatePair]) -> LoadedCertificates:
        """Return certificates for the same hosts as their files are now, or were when they could last be used.

        Raises:
            CertificateProblem: the files of a pair could never be used.
        """
        context = server_context()
        return LoadedCertificates(tuple(self._read(pair, context) for pair in pairs), context)

    def _read(self, pair: CertificatePair, context: ssl.SSLContext) -> CertificateFiles:
        seen = self._seen[pair] = _state(pair)  # before they are read, so that a later change is seen
        try:
            files = CertificateFiles.read(pair)
            load(files, context)
        except CertificateProblem as problem:
            usable = self._usable.get(pair)
            if usable is None:
                raise
            self._report(pair, seen, problem)
            load(usable, context)
            return usable
        self._usable[pair] = files
        self._reported.pop(pair, None)
        return files

    def has_changed(self, pair: CertificatePair) -> bool:
        """Return whether the files of a pair are to be read again: they have changed, or could not be used."""
        return _state(pair) != self._seen.get(pair) or self._reported.get(pair) == ()

    def _report(self, pair: CertificatePair, seen: Seen, problem: CertificateProblem) -> None:
        """Log a problem once, unless it may be that the files are being replaced at this moment."""
        if pair not in self._reported:
            self._reported[pair] = ()
        elif self._reported[pair] != seen:
            self._reported[pair] = seen
            logger.error("the certificate in %s is used as it was before: %s", pair.cert_file, problem)


def _state(pair: CertificatePair) -> Seen:
    """Return what changes with the content of the files of a pair."""
    return (*_state_of(pair.cert_file), *_state_of(pair.key_file))


def _state_of(file: Path) -> Seen:
    """Return what changes with the content of a file; symbolic links are followed."""
    try:
        status = file.stat()
    except OSError as error:
        return (error.errno,)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
