"""The NSS certificate databases, which Chromium and Firefox use on Linux."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from addon.programs.trust.stores import NICKNAME, TrustError, check_tool, run_tool

CERTUTIL = "certutil"

_FIREFOX = (".mozilla/firefox", "snap/firefox/common/.mozilla/firefox", ".var/app/org.mozilla.firefox/.mozilla/firefox")
_CHROMIUM = (".pki/nssdb", "snap/chromium/current/.pki/nssdb")


@dataclass(frozen=True, slots=True)
class NssStore:
    """One NSS database."""

    folder: Path

    @property
    def name(self) -> str:
        """The name that people see."""
        return f"NSS {self.folder}"

    @property
    def _database(self) -> str:
        return f"sql:{self.folder}"

    def holds(self, pem: bytes) -> bool:
        """Return whether the certificate is in the database. Raises TrustError."""
        if not (self.folder / "cert9.db").exists():
            return False
        listed = run_tool((_certutil(), "-L", "-d", self._database, "-n", NICKNAME, "-a"))
        return listed.returncode == 0 and _lines(listed.stdout) == _lines(pem)

    def install(self, pem: bytes) -> None:
        """Add the certificate, trusted for servers only. Raises TrustError."""
        if not (self.folder / "cert9.db").exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            check_tool((_certutil(), "-N", "-d", self._database, "--empty-password"))
        self.uninstall()
        check_tool((_certutil(), "-A", "-d", self._database, "-n", NICKNAME, "-t", "C,,"), pem)

    def uninstall(self) -> None:
        """Remove the certificate. Raises TrustError."""
        if not (self.folder / "cert9.db").exists():
            return
        while run_tool((_certutil(), "-L", "-d", self._database, "-n", NICKNAME)).returncode == 0:
            check_tool((_certutil(), "-D", "-d", self._database, "-n", NICKNAME))


def nss_stores(home: Path) -> Iterator[NssStore]:
    """Iterate over the databases in a home directory, and Chromium's, even a missing one if certutil can make it."""
    for place in _CHROMIUM:
        if (home / place).is_dir() or (place == _CHROMIUM[0] and shutil.which(CERTUTIL)):
            yield NssStore(home / place)
    for place in _FIREFOX:
        for database in sorted((home / place).glob("*/cert9.db")):
            yield NssStore(database.parent)


def _certutil() -> str:
    path = shutil.which(CERTUTIL)
    if path is None:
        raise TrustError("certutil is not installed: the package is libnss3-tools, nss-tools or nss")
    return path


def _lines(pem: bytes) -> list[bytes]:
    return pem.split()
