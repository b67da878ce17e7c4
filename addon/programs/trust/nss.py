"""The databases of NSS, which Chromium and Firefox on Linux look into."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from addon.programs.trust.stores import NICKNAME, TrustError, ask, tell

CERTUTIL = "certutil"

_FIREFOX = (".mozilla/firefox", "snap/firefox/common/.mozilla/firefox", ".var/app/org.mozilla.firefox/.mozilla/firefox")
_CHROMIUM = (".pki/nssdb", "snap/chromium/current/.pki/nssdb")


@dataclass(frozen=True, slots=True)
class NssStore:
    """One database."""

    folder: Path

    @property
    def name(self) -> str:
        """How people call it."""
        return f"NSS {self.folder}"

    @property
    def _database(self) -> str:
        return f"sql:{self.folder}"

    def holds(self, pem: bytes) -> bool:
        """Tell whether a certificate is in it. Raises TrustError."""
        if not (self.folder / "cert9.db").exists():
            return False
        said = ask(_certutil(), "-L", "-d", self._database, "-n", NICKNAME, "-a")
        return said.returncode == 0 and _lines(said.stdout) == _lines(pem)

    def install(self, pem: bytes) -> None:
        """Put a certificate in, trusted for servers alone. Raises TrustError."""
        if not (self.folder / "cert9.db").exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            tell((_certutil(), "-N", "-d", self._database, "--empty-password"))
        self.uninstall()
        tell((_certutil(), "-A", "-d", self._database, "-n", NICKNAME, "-t", "C,,"), pem)

    def uninstall(self) -> None:
        """Take it out. Raises TrustError."""
        if not (self.folder / "cert9.db").exists():
            return
        while ask(_certutil(), "-L", "-d", self._database, "-n", NICKNAME).returncode == 0:
            tell((_certutil(), "-D", "-d", self._database, "-n", NICKNAME))


def nss_stores(home: Path) -> Iterator[NssStore]:
    """Iterate over the databases in a home directory; where there are tools for it, one for Chromium too."""
    for place in _CHROMIUM:
        if (home / place).is_dir() or (place == _CHROMIUM[0] and shutil.which(CERTUTIL)):
            yield NssStore(home / place)
    for place in _FIREFOX:
        for database in sorted((home / place).glob("*/cert9.db")):
            yield NssStore(database.parent)


def _certutil() -> str:
    found = shutil.which(CERTUTIL)
    if found is None:
        raise TrustError("certutil is not installed: the package is libnss3-tools, nss-tools or nss")
    return found


def _lines(pem: bytes) -> list[bytes]:
    return pem.split()
