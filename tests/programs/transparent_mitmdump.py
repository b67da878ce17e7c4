"""Asks origins through a transparent mitmdump, and prints what the client got and the origins were asked, as JSON.

It needs a network namespace of its own (`unshare --net`): it redirects connections by iptables.
"""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
from pathlib import Path

from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import EchoOrigin
from tests.programs.mitmproxy_runs import Mitmdump, mitmdump_ca

SERVER, CLIENT = "10.9.9.9", "10.9.9.1"
NAME = "site.example"
"""The name of the origin. No resolver knows it."""


def main(folder: Path, *, cached: bool) -> None:
    """Play the traffic, and print the statuses, the contents, and how often each origin was asked."""
    for command in ("link set lo up", f"address add {SERVER}/32 dev lo", f"address add {CLIENT}/32 dev lo"):
        subprocess.run(["ip", *command.split()], check=True)
    ca = ThrowawayCA(folder, "origins")
    transparent = ("--mode", "transparent", "--set", "connection_strategy=lazy")
    with (
        EchoOrigin() as clear,
        EchoOrigin(ca.server_context(NAME)) as secure,
        Mitmdump(folder / "run", ca.file, transparent, cached=cached) as mitmdump,
    ):
        for port, origin in ((80, clear), (443, secure)):
            # the client's connections go to mitmdump, and those of mitmdump to the origin
            _redirect(port, mitmdump.port, "--source", CLIENT)
            _redirect(port, origin.port)
        trusted = ssl.create_default_context(cafile=mitmdump_ca(mitmdump))
        got = [_ask(host, None) for host in (SERVER, SERVER, NAME, NAME)] + [_ask(NAME, trusted) for _ in range(2)]
        print(json.dumps({"got": got, "asked": [len(clear.requests), len(secure.requests)], "log": mitmdump.log}))


def _redirect(port: int, to: int, *conditions: str) -> None:
    rule = ("--protocol", "tcp", "--destination", SERVER, "--dport", str(port), *conditions)
    subprocess.run(
        ["iptables", "--table", "nat", "--append", "OUTPUT", *rule, "--jump", "REDIRECT", "--to-ports", str(to)],
        check=True,
    )


def _ask(host: str, trusted: ssl.SSLContext | None) -> tuple[int, str]:
    """Return status and content of a response to a client that knows no proxy."""
    connection = http.client.HTTPConnection(SERVER, 443 if trusted else 80, source_address=(CLIENT, 0))
    connection.connect()
    if trusted:
        connection.sock = trusted.wrap_socket(connection.sock, server_hostname=host)
    connection.request("GET", "/text", headers={"Host": host})
    response = connection.getresponse()
    content = response.read().decode()
    connection.close()
    return response.status, content


if __name__ == "__main__":
    main(Path(sys.argv[1]), cached=sys.argv[2] == "cached")
