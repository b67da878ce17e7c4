"""The certificates of an edge as they were when they could last be used."""

from __future__ import annotations

import logging
from pathlib import Path

from addon.config.certificate_files import CertificateFiles, CertificateProblem
from addon.config.site_tls import CertificatePair
from addon.frontend.gateway.client_tls import ClientTls
from addon.frontend.gateway.server_contexts import context_with, server_context

logger = logging.getLogger(__name__)

Seen = tuple[object, ...]


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

    def read(self, pair: CertificatePair) -> CertificateFiles:
        """Return what the files of a pair have now, or had when they could last be used.

        Raises:
            CertificateProblem: they could never be used.
        """
        seen = self._look_at(pair)
        try:
            files = CertificateFiles.read(pair)
            context_with([files])
        except CertificateProblem as problem:
            usable = self._usable.get(pair)
            if usable is None:
                raise
            self._report(pair, seen, problem)
            return usable
        self._usable[pair] = files
        self._reported.pop(pair, None)
        return files

    def has_changed(self, pair: CertificatePair) -> bool:
        """Return whether the files of a pair are to be read again: they have changed, or could not be used."""
        before = self._seen.get(pair)
        return self._look_at(pair) != before or (pair in self._reported and not self._reported[pair])

    def _look_at(self, pair: CertificatePair) -> Seen:
        """Return what tells whether the files have changed. It is looked at before they are read."""
        seen = self._seen[pair] = (*_state(pair.cert_file), *_state(pair.key_file))
        return seen

    def _report(self, pair: CertificatePair, seen: Seen, problem: CertificateProblem) -> None:
        """Log a problem once, unless it may be that the files are being replaced at this moment."""
        if pair not in self._reported:
            self._reported[pair] = ()
        elif self._reported[pair] != seen:
            self._reported[pair] = seen
            logger.error("the certificate in %s is used as it was before: %s", pair.cert_file, problem)


def _state(file: Path) -> Seen:
    """Return what changes with the content of a file; symbolic links are followed."""
    try:
        status = file.stat()
    except OSError as error:
        return (error.errno,)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
