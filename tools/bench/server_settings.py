"""The settings of one server in a measurement, and how its configuration file is made from a template."""

from __future__ import annotations

import getpass
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

HERE = Path(__file__).parent


class MissingProgram(Exception):
    """A program that a measurement needs is not installed."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Folder, ports, CA file, core and environment of one server."""

    folder: Path
    port: int
    origin_port: int
    """The origin's port for HTTP."""
    origin_tls_port: int
    """The origin's port for HTTPS."""
    origin_ca_file: Path
    """The certificate of the CA that signed the origin's certificate."""
    core: int
    http2_port: int = 0
    """A further port, for servers that speak HTTP/2 without TLS on a port of its own."""
    variables: Mapping[str, str] = MappingProxyType({})
    """Environment variables to add to the usual ones."""

    def write_configuration(self, template: str, **more_names: str) -> Path:
        """Fill in a template (a path below tools/bench), write it to the server's folder, and return the new file."""
        names = {
            **more_names,
            "FOLDER": str(self.folder),
            "PORT": str(self.port),
            "HTTP2_PORT": str(self.http2_port),
            "ORIGIN_PORT": str(self.origin_port),
            "ORIGIN_TLS_PORT": str(self.origin_tls_port),
            "ORIGIN_CA_FILE": str(self.origin_ca_file),
            "USER": getpass.getuser(),
            "UNPRIVILEGED": "proxy",
        }
        text = (HERE / template).read_text()
        for name, value in names.items():
            text = text.replace(f"@{name}@", value)
        file = self.folder / Path(template).name
        file.write_text(text)
        return file

    def change_owner(self, user: str) -> None:
        """Give the folder to the user that a server switches to when root starts it."""
        if os.geteuid() == 0:
            for path in [self.folder, *self.folder.rglob("*")]:
                shutil.chown(path, user)


def find_program(name: str, package: str) -> str:
    """Return the path of a program. Raises MissingProgram, which names the Debian package to install."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    if found := shutil.which(name, path=path):
        return found
    raise MissingProgram(f"{name} is not installed; on Debian: apt install {package}")
