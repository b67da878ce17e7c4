"""The system's store of authorities, on Linux: a folder of certificates, and a tool that takes them over."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from addon.programs.trust.stores import NICKNAME, TrustError, tell


@dataclass(frozen=True, slots=True)
class SystemStore:
    """A folder that an operator may put certificates into, and the command that takes note of it."""

    folder: Path
    suffix: str
    refresh: tuple[str, ...]

    @property
    def name(self) -> str:
        """How people call it."""
        return "system"

    @property
    def _file(self) -> Path:
        return self.folder / f"{NICKNAME}{self.suffix}"

    def holds(self, pem: bytes) -> bool:
        """Tell whether a certificate is in it. Raises TrustError."""
        try:
            return self._file.is_file() and self._file.read_bytes() == pem
        except OSError as error:
            raise TrustError(str(error)) from None

    def install(self, pem: bytes) -> None:
        """Put a certificate in. Raises TrustError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file.write_bytes(pem)
        except OSError as error:
            raise TrustError(f"{error}; as root: {self._by_hand()}") from None
        tell(self.refresh)

    def _by_hand(self) -> str:
        # another user's secondhand would have another authority
        return f"secondhand trust export | sudo tee {self._file} && sudo {' '.join(self.refresh)}"

    def uninstall(self) -> None:
        """Take it out. Raises TrustError."""
        if not self._file.exists():
            return
        try:
            self._file.unlink()
        except OSError as error:
            raise TrustError(f"{error}; as root: sudo rm {self._file} && sudo {' '.join(self.refresh)}") from None
        tell(self.refresh)


KINDS = (
    # Debian, Alpine, SUSE
    SystemStore(Path("/usr/local/share/ca-certificates"), ".crt", ("update-ca-certificates",)),
    # Fedora and its like
    SystemStore(Path("/etc/pki/ca-trust/source/anchors"), ".pem", ("update-ca-trust", "extract")),
    # Arch
    SystemStore(Path("/etc/ca-certificates/trust-source/anchors"), ".crt", ("trust", "extract-compat")),
)


def system_store() -> SystemStore | None:
    """Return the store of this system, or None where it is of no kind that is known."""
    return next((kind for kind in KINDS if shutil.which(kind.refresh[0])), None)
