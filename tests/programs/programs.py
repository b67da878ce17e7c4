"""Other people's programs, found or skipped."""

from __future__ import annotations

import http.client
import io
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest

from tests.fixtures.proxy_process import PATIENCE, Proxy, environment

NOT_THEIRS = "SECONDHAND_|XDG_|PIP_|https?_proxy|all_proxy|no_proxy|NODE_"
"""Variables that would take a client's requests elsewhere."""


def program(name: str) -> str:
    """Return where a program is; where it is not installed, the test is skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(home: Path, *command: str, **variables: str) -> str:
    """Return what a program prints. Raises CalledProcessError, with what it said, if it fails."""
    done = subprocess.run(
        command,
        env=environment(home, NOT_THEIRS) | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Answer:
    """What curl got."""

    status: int
    version: str
    fields: Message
    content: bytes


def curl(proxy: Proxy, url: str, *options: str) -> Answer:
    """Fetch a URL through the proxy with curl."""
    with tempfile.TemporaryDirectory(dir=proxy.folder) as folder:
        head, content = Path(folder, "head"), Path(folder, "content")
        content.touch()
        # -q leaves ~/.curlrc alone; the proxy's answer to CONNECT is not the answer
        says = run(
            proxy.folder,
            *(program("curl"), "-q", "--silent", "--show-error", "--proxy", proxy.url),
            *("--cacert", str(proxy.certificate), "--suppress-connect-headers", "--dump-header", str(head)),
            *("--output", str(content), "--write-out", "%{http_code} %{http_version}", *options, url),
        )
        status, version = says.split()
        octets = io.BytesIO(head.read_bytes())
        octets.readline()
        return Answer(int(status), version, http.client.parse_headers(octets), content.read_bytes())
