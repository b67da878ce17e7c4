"""The file /etc/hosts: names and addresses that are known without a name server."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from addon.origin.watched_file import WatchedFile


class HostsFile:
    """Finds the addresses of a name in a file in the format of hosts(5). It is read again whenever it has changed."""

    def __init__(self, path: Path = Path("/etc/hosts")) -> None:
        self._file = WatchedFile(path)
        self._addresses: dict[str, list[str]] = {}

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name in lower case, in the order of the file; none if it is not there."""
        if self._file.changed():
            self._addresses = self._read()
        return tuple(self._addresses.get(name, ()))

    def _read(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for line in self._file.text().splitlines():
            address, *names = line.partition("#")[0].split() or [""]
            for name in names if _is_address(address) else ():
                known = found.setdefault(name.lower().removesuffix("."), [])
                if address not in known:
                    known.append(address)
        return found


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
