"""Where one server of a measurement lives: its folder, its port, its origin; and how its configuration is filled in."""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

HERE = Path(__file__).parent


class Missing(Exception):
    """A program that a measurement needs is not installed."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a configuration may name, in capitals between two @."""

    folder: Path
    port: int
    origin: int
    """The origin's port for HTTP."""
    origin_tls: int
    """The origin's port for HTTPS."""
    authority: Path
    """The certificate of the authority that signed the origin's."""
    core: int
    variables: Mapping[str, str] = MappingProxyType({})
    """Of its environment, beside the usual ones."""

    def configure(self, template: str) -> Path:
        """Fill in a configuration of this folder, write it to the place's folder, and return where."""
        names = {
            "FOLDER": str(self.folder),
            "PORT": str(self.port),
            "ORIGIN": str(self.origin),
            "ORIGIN_TLS": str(self.origin_tls),
            "AUTHORITY": str(self.authority),
            "USER": getpass.getuser(),
            "UNPRIVILEGED": "proxy",
        }
        text = (HERE / template).read_text()
        for name, value in names.items():
            text = text.replace(f"@{name}@", value)
        file = self.folder / Path(template).name
        file.write_text(text)
        return file

    def belongs_to(self, user: str) -> None:
        """Give the folder to the user that a server becomes if it is started by root."""
        if os.geteuid() == 0:
            for path in [self.folder, *self.folder.rglob("*")]:
                shutil.chown(path, user)


def program(name: str, package: str) -> str:
    """Return the path of a program. Raises Missing, naming the Debian package that has it."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    if found := shutil.which(name, path=path):
        return found
    raise Missing(f"{name} is not installed; on Debian: apt install {package}")
