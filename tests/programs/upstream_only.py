"""Asks an origin that only the upstream proxy of a mitmdump may reach, and prints what the client got, as JSON.

It needs a network namespace of its own (`unshare --net`): iptables refuses and counts every direct connection.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.fixtures.proxy_process import TIMEOUT
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import EchoOrigin
from tests.programs.mitmproxy_cases import settings
from tests.programs.mitmproxy_runs import Ask, Mitmdump, exchange, mitmdump_ca

ORIGIN, ALLOWED = "10.9.9.9", "10.9.9.1"
NO_CACHE = (("Cache-Control", "no-cache"),)
TRAFFIC = (
    Ask("/text"),
    Ask("/text"),
    Ask("/text", fields=NO_CACHE),
    Ask("/brief"),
    Ask("/brief"),  # a stale copy, which is validated in the background
    Ask("/form", "POST", content=b"a=1"),
)
ASKED = ["/brief", "/brief", "/form", "/text", "/text"]


def main(folder: Path, scheme: str) -> None:
    """Play the traffic, and print the statuses, what the origin was asked, and how many connections were refused."""
    for command in ("link set lo up", f"address add {ORIGIN}/32 dev lo", f"address add {ALLOWED}/32 dev lo"):
        subprocess.run(["ip", *command.split()], check=True)
    ca = ThrowawayCA(folder, "origins")
    with EchoOrigin(ca.server_context(ORIGIN) if scheme == "https" else None) as origin:
        url = f"{scheme}://{ORIGIN}"
        port = 443 if scheme == "https" else 80
        to_origin = f"--protocol tcp --destination {ORIGIN} --dport {port}".split()
        _iptables("--append", "OUTPUT", *to_origin, "!", "--source", ALLOWED, "--jump", "REJECT")
        redirect = ("--jump", "REDIRECT", "--to-ports", str(origin.port))
        _iptables("--table", "nat", "--append", "OUTPUT", *to_origin, "--source", ALLOWED, *redirect)
        allowed = settings(f"connect_addr={ALLOWED}")
        with Mitmdump(folder / "up" / "run", ca.file, allowed, cached=False) as upstream:
            options = ("--mode", f"upstream:http://127.0.0.1:{upstream.port}")
            with Mitmdump(folder / "down" / "run", mitmdump_ca(upstream), options, cached=True) as mitmdump:
                got = [exchange(mitmdump.port, url, ask, mitmdump_ca(mitmdump)).status for ask in TRAFFIC]
                until = time.monotonic() + TIMEOUT
                while len(origin.requests) < len(ASKED) and time.monotonic() < until:
                    time.sleep(0.02)
        refused = re.findall(
            r"^\s*(\d+)\s.*REJECT", _iptables("--list", "OUTPUT", "--verbose", "--exact"), re.MULTILINE
        )
        asked = sorted(request.target for request in origin.requests)
        print(json.dumps({"got": got, "asked": asked, "refused": refused, "log": mitmdump.log}))


def _iptables(*arguments: str) -> str:
    return subprocess.run(["iptables", *arguments], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
