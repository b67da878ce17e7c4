"""Squid, with its copies in memory, and once more with a store on disk."""

from __future__ import annotations

import re
import subprocess

from tools.bench.authority import Authority
from tools.bench.peers.peer import Peer
from tools.bench.place import Place, program

PACKAGE = "squid-openssl"
"""Debian's package named squid cannot open TLS."""

CERTIFICATES = "/usr/lib/squid/security_file_certgen"


def _command(place: Place) -> list[str]:
    squid = program("squid", PACKAGE)
    Authority(place.folder)
    subprocess.run(
        [program(CERTIFICATES, PACKAGE), "-c", "-s", str(place.folder / "certificates"), "-M", "16MB"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    configuration = place.configure("peers/squid.conf")
    place.belongs_to("proxy")
    return [squid, "--foreground", "-f", str(configuration)]


def _command_with_disk(place: Place) -> list[str]:
    command = _command(place)
    store = place.configure("peers/squid-disk.conf")
    with (place.folder / "squid.conf").open("a") as configuration:
        configuration.write(store.read_text())
    subprocess.run([*command, "-z"], check=True, capture_output=True)
    return command


def _version() -> str:
    said = subprocess.run([program("squid", PACKAGE), "-v"], check=True, capture_output=True, text=True).stdout
    match = re.search(r"Version (\S+)", said)
    return match[1] if match else "unknown"


SQUID = Peer("squid", is_forward_proxy=True, command=_command, version=_version)
SQUID_DISK = Peer("squid-disk", is_forward_proxy=True, command=_command_with_disk, version=_version)
