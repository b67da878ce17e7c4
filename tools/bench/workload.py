"""Workloads: the requests that clients send. wrk sends them where it can, our own load generator all others."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.bench.cores import pin_to_core
from tools.bench.generator import KEY, LoadOptions
from tools.bench.origin import SIZES
from tools.bench.peers.peer import Server
from tools.bench.server_settings import HERE, find_program

type Fields = tuple[tuple[str, str], ...]

BROWSER_FIELDS: Fields = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Referer", "http://127.0.0.1/articles/2026/a-page-with-a-name"),
    ("Connection", "keep-alive"),
    ("DNT", "1"),
    ("Sec-GPC", "1"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Priority", "u=0, i"),
    ("Sec-Fetch-Site", "same-origin"),
)
"""Twelve together with Host."""


class LoadFailed(Exception):
    """A load generator failed, or responses were wrong; the message says why."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of request that is sent repeatedly."""

    path: str
    size: str = "1k"
    """Of each response's content: a key of `SIZES`."""
    keys: str = ""
    """Appended to the path, as seven digits: "" nothing, "+" a new number each time, "N" a random one from 1 to N."""
    fields: Fields = ()
    rate: float = 0
    """Requests per second; 0: as many as possible."""
    tls: bool = False
    authority: str = ""
    """Host and port in the URL; empty: the origin's."""

    def authority_for(self, server: Server) -> str:
        """Return the host and port in the URL of a request to this server."""
        settings = server.settings
        origin = f"localhost:{settings.origin_tls_port}" if self.tls else f"127.0.0.1:{settings.origin_port}"
        return self.authority or origin


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of a load. Times are in seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: int


def apply_load(
    workload: Workload, server: Server, *, core: int, connections: int, seconds: int, number: int = 0
) -> Outcome:
    """Send requests to a server for some seconds. Raises LoadFailed.

    Args:
        workload: The requests.
        server: The server.
        core: The core on which the load generator runs.
        connections: How many connections send at the same time.
        seconds: Length of the load.
        number: Of the round: rounds with different numbers use different new keys.
    """
    if workload.rate or workload.tls:
        printed = _generator_output(generator_options(workload, server, connections, seconds), core)
    else:
        command = _wrk_command(workload, server, connections=connections, seconds=seconds, number=number)
        printed = _output(command, core).strip().splitlines()[-1]
    names = {field.name for field in dataclasses.fields(Outcome)}
    return Outcome(**{name: value for name, value in json.loads(printed).items() if name in names})


def generator_options(workload: Workload, server: Server, connections: int, seconds: float) -> LoadOptions:
    """Return the same workload in the form that our own load generator takes."""
    settings = server.settings
    authority = workload.authority_for(server)
    key = KEY if workload.keys else ""
    target = server.request_target(authority, workload.path, tls=workload.tls)
    lines = [f"GET {target}{key} HTTP/1.1", f"Host: {authority}"]
    lines += [f"{name}: {value}" for name, value in workload.fields]
    return LoadOptions(
        port=settings.port,
        request="\r\n".join([*lines, "", ""]),
        content_size=SIZES[workload.size],
        connections=connections,
        seconds=seconds,
        rate=workload.rate,
        keys=int(workload.keys or 0),
        tunnel_to=authority if workload.tls else "",
        ca_file=str(_interception_ca(settings.folder)) if workload.tls else "",
    )


def run_generator(options: LoadOptions, core: int) -> dict[str, float]:
    """Run our own load generator and return what it prints. Raises LoadFailed."""
    return dict(json.loads(_generator_output(options, core)))


def _generator_output(options: LoadOptions, core: int) -> str:
    return _output([sys.executable, str(HERE / "generator.py"), json.dumps(dataclasses.asdict(options))], core)


def _wrk_command(workload: Workload, server: Server, *, connections: int, seconds: int, number: int) -> list[str]:
    keys = f"{number * 10_000_000}+" if workload.keys == "+" else workload.keys
    authority = workload.authority_for(server)
    fields = (("Host", authority), *workload.fields)
    return [
        *(find_program("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"),
        *("-s", str(HERE / "load.lua"), f"http://127.0.0.1:{server.settings.port}", "--"),
        *(server.request_target(authority, workload.path), keys, *(text for field in fields for text in field)),
    ]


def _output(command: list[str], core: int) -> str:
    """Run a program on a core and return what it prints. Raises LoadFailed if its exit code is not 0."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        preexec_fn=lambda: pin_to_core(core),
    )
    if done.returncode:
        raise LoadFailed(f"{Path(command[0]).name}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def _interception_ca(folder: Path) -> Path:
    """Return the certificate of the CA that a server signs with: Squid gets one, secondhand makes its own."""
    for name in ("ca-certificate.pem", "ca/mitmproxy-ca-cert.pem"):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"no CA certificate in {folder}")
