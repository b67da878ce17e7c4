"""The files of the resolver, /etc/hosts and /etc/resolv.conf: any bytes are addresses, and the rest is left out."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path
from tempfile import gettempdir

from addon.origin.hosts_file import HostsFile
from addon.origin.name_servers import NameServers

TOKENS = [
    *(b"nameserver ", b"search ", b"domain ", b"options ", b"ndots:", b"timeout:", b"attempts:", b"rotate", b"\n"),
    *(b"127.0.0.1 ", b"::1 ", b"fe80::1%eth0 ", b"a.example", b"localhost", b"#", b"sortlist ", b"edns0", b"\x0c"),
]

FILE = Path(gettempdir()) / f"fuzz-resolver-{os.getpid()}"


def check(data: bytes) -> None:
    """Read bytes as each of the files."""
    FILE.write_bytes(data)
    try:
        hosts, servers = HostsFile(FILE), NameServers(FILE)
        for name in {"localhost", *data.decode("utf-8", "replace").lower().split()}:
            assert all(ip_address(address) for address in hosts.addresses(name))
        assert servers.changed()
        assert not servers.changed()
        for server in str(servers).split(" or "):
            ip_address(server.partition("%")[0])  # whether this machine has the zone is seen when it is asked
    finally:
        FILE.unlink()
