"""Squid, with its copies in memory (`SQUID`) or in a store on disk (`SQUID_DISK`)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tools.bench.certificates import CertificateAuthority
from tools.bench.peers.peer import Peer
from tools.bench.server_settings import ServerSettings, find_program

PACKAGE = "squid-openssl"
"""Debian's package `squid` cannot intercept TLS."""

CERTIFICATE_HELPER = "/usr/lib/squid/security_file_certgen"


def _command(settings: ServerSettings) -> list[str]:
    squid = find_program("squid", PACKAGE)
    CertificateAuthority(settings.folder)
    make_certificate_database(settings.folder / "certificates")
    configuration = settings.write_configuration("peers/squid.conf")
    settings.change_owner("proxy")
    return [squid, "--foreground", "-f", str(configuration)]


def make_certificate_database(folder: Path) -> None:
    """Make the folder of the certificates that Squid signs. Raises MissingProgram."""
    # an earlier start has left one, with certificates of its own CA; Squid's helper accepts no folder that exists
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(
        [find_program(CERTIFICATE_HELPER, PACKAGE), "-c", "-s", str(folder), "-M", "16MB"],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _command_with_disk(settings: ServerSettings) -> list[str]:
    command = _command(settings)
    disk_configuration = settings.write_configuration("peers/squid-disk.conf")
    with (settings.folder / "squid.conf").open("a") as configuration:
        configuration.write(disk_configuration.read_text())
    subprocess.run([*command, "-z"], check=True, capture_output=True)
    return command


def _version() -> str:
    squid = find_program("squid", PACKAGE)
    printed = subprocess.run([squid, "-v"], check=True, capture_output=True, text=True).stdout
    match = re.search(r"Version (\S+)", printed)
    return match[1] if match else "unknown"


SQUID = Peer("squid", is_forward_proxy=True, command=_command, version=_version)
SQUID_DISK = Peer("squid-disk", is_forward_proxy=True, command=_command_with_disk, version=_version)
