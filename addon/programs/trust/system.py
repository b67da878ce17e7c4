"""The system's trust store on Linux: a folder for certificates, and a tool that activates them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from addon.programs.trust.stores import NICKNAME, TrustError, check_tool


@dataclass(frozen=True, slots=True)
class SystemStore:
    """A folder for the operator's certificates, and the command that activates its content."""

    folder: Path
    suffix: str
    refresh: tuple[str, ...]
    systems: str = ""
    """The names of the distributions, for people."""

    @property
    def name(self) -> str:
        """The name that people see."""
        return "system"

    @property
    def _file(self) -> Path:
        return self.folder / f"{NICKNAME}{self.suffix}"

    def holds(self, pem: bytes) -> bool:
        """Return whether the certificate is in the folder. Raises TrustError."""
        try:
            return self._file.is_file() and self._file.read_bytes() == pem
        except OSError as error:
            raise TrustError(str(error)) from None

    def install(self, pem: bytes) -> None:
        """Add the certificate. Raises TrustError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file.write_bytes(pem)
        except OSError as error:
            raise TrustError(f"{error}; as root: {self._manual_command()}") from None
        check_tool(self.refresh)

    def _manual_command(self) -> str:
        # not `sudo secondhand trust install`: root has a CA of its own
        return f"secondhand trust export | sudo tee {self._file} && sudo {' '.join(self.refresh)}"

    def uninstall(self) -> None:
        """Remove the certificate. Raises TrustError."""
        if not self._file.exists():
            return
        try:
            self._file.unlink()
        except OSError as error:
            raise TrustError(f"{error}; as root: sudo rm {self._file} && sudo {' '.join(self.refresh)}") from None
        check_tool(self.refresh)


SYSTEM_STORES = (
    SystemStore(
        Path("/usr/local/share/ca-certificates"), ".crt", ("update-ca-certificates",), "Debian, Ubuntu, Alpine"
    ),
    SystemStore(
        Path("/etc/pki/ca-trust/source/anchors"), ".pem", ("update-ca-trust", "extract"), "Fedora and its derivatives"
    ),
    SystemStore(Path("/etc/ca-certificates/trust-source/anchors"), ".crt", ("trust", "extract-compat"), "Arch Linux"),
)


def system_store() -> SystemStore | None:
    """Return the trust store of this system, or None if it is not one of the known kinds."""
    return next((store for store in SYSTEM_STORES if shutil.which(store.refresh[0])), None)
