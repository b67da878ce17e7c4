"""Programs of other projects. A test is skipped if its program is not installed."""

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

from tests.fixtures.environment import PROXY_VARIABLES, environment
from tests.fixtures.proxy_process import TIMEOUT, Proxy


def program(name: str) -> str:
    """Return the path of a program. Skip the test if it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(home: Path, *command: str, **variables: str) -> str:
    """Run a program, and return its standard output. Raises AssertionError, with all its output, if it fails."""
    done = subprocess.run(
        command,
        env=environment(home, PROXY_VARIABLES) | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class CurlResponse:
    """A response that curl received."""

    status: int
    version: str
    fields: Message
    content: bytes


def curl(proxy: Proxy, url: str, *options: str) -> CurlResponse:
    """Fetch a URL through the proxy with curl."""
    with tempfile.TemporaryDirectory(dir=proxy.folder) as folder:
        head, content = Path(folder, "head"), Path(folder, "content")
        content.touch()
        # -q ignores ~/.curlrc; --suppress-connect-headers leaves the response to CONNECT out of the head
        printed = run(
            proxy.folder,
            *(program("curl"), "-q", "--silent", "--show-error", "--proxy", proxy.url),
            *("--cacert", str(proxy.certificate), "--suppress-connect-headers", "--dump-header", str(head)),
            *("--output", str(content), "--write-out", "%{http_code} %{http_version}", *options, url),
        )
        status, version = printed.split()
        lines = io.BytesIO(head.read_bytes())
        lines.readline()
        return CurlResponse(int(status), version, http.client.parse_headers(lines), content.read_bytes())
