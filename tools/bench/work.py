"""What clients ask for, and how it is asked: by wrk wherever it can, by our own generator where it cannot."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.bench.cores import settle
from tools.bench.generator import KEY, Load
from tools.bench.origin import SIZES
from tools.bench.peers.peer import Server
from tools.bench.place import HERE, program

type Fields = tuple[tuple[str, str], ...]

BROWSER: Fields = (
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
"""A dozen with Host."""


class LoadFailed(Exception):
    """A load did not come to its end; says what was wrong with the answers."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked for, again and again."""

    path: str
    size: str = "1k"
    keys: str = ""
    """What is put behind the path: "" nothing, "+" a number never used before, "N" any from 1 to N; seven digits."""
    fields: Fields = ()
    rate: float = 0
    """Requests a second, or as many as go."""
    tls: bool = False
    authority: str = ""
    """Whom it is asked of; the origin where nothing is said."""

    def host(self, server: Server) -> str:
        """Return the host and port that are asked."""
        place = server.place
        return self.authority or (f"localhost:{place.origin_tls}" if self.tls else f"127.0.0.1:{place.origin}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a round of load."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: int


def load(work: Work, server: Server, core: int, connections: int, seconds: int, number: int = 0) -> Outcome:
    """Send requests to a server for some seconds. `number`: of this round, so that new keys are new."""
    if work.rate or work.tls:
        said = _generator(load_of(work, server, connections, seconds), core)
    else:
        said = _wrk(work, server, core, connections, seconds, number)
    names = {field.name for field in dataclasses.fields(Outcome)}
    return Outcome(**{name: value for name, value in json.loads(said).items() if name in names})


def load_of(work: Work, server: Server, connections: int, seconds: float) -> Load:
    """Return the same work for our own generator."""
    place = server.place
    host = work.host(server)
    key = KEY if work.keys else ""
    lines = [f"GET {server.url(host, work.path, tls=work.tls)}{key} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in work.fields]
    return Load(
        port=place.port,
        request="\r\n".join([*lines, "", ""]),
        body=SIZES[work.size],
        connections=connections,
        seconds=seconds,
        rate=work.rate,
        keys=int(work.keys or 0),
        connect=host if work.tls else "",
        authority=str(_trusted(place.folder)) if work.tls else "",
    )


def run(load: Load, core: int) -> dict[str, float]:
    """Return what our own generator says of a load."""
    return dict(json.loads(_generator(load, core)))


def _generator(load: Load, core: int) -> str:
    command = [sys.executable, str(HERE / "generator.py"), json.dumps(dataclasses.asdict(load))]
    return _said(command, core)


def _wrk(work: Work, server: Server, core: int, connections: int, seconds: int, number: int) -> str:
    keys = f"{number * 10_000_000}+" if work.keys == "+" else work.keys
    fields = (("Host", work.host(server)), *work.fields)
    command = [
        *(program("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"),
        *("-s", str(HERE / "load.lua"), f"http://127.0.0.1:{server.place.port}", "--"),
        *(server.url(work.host(server), work.path), keys, *(text for field in fields for text in field)),
    ]
    return _said(command, core).strip().splitlines()[-1]


def _said(command: list[str], core: int) -> str:
    """What a program prints that runs on one core."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        preexec_fn=lambda: settle(core),
    )
    if done.returncode:
        raise LoadFailed(f"{Path(command[-2]).name}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


def _trusted(folder: Path) -> Path:
    """The certificate that a server in this folder signs with: Squid's is given to it, the others made their own."""
    for name in ("authority-certificate.pem", "authority/mitmproxy-ca-cert.pem"):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"no certificate authority in {folder}")
