"""The suite against a proxy: its origin, `secondhand serve --edge` and its client, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.fixtures.proxy_process import Proxy
from tools.conformance import recording, suite

type Answer = Literal["origin", "always"]

HERE = Path(__file__).parent
PATIENCE = 150
"""Seconds after which a run has failed; it takes about fifty."""


def play(answer: Answer, only: Collection[str] = ()) -> recording.Recording:
    """Return what the suite, or some tests of it, saw with a new store. Raises Missing or CalledProcessError."""
    package, node = suite.installed(), suite.program("node")
    with tempfile.TemporaryDirectory(prefix="conformance-") as name:
        folder = Path(name)
        log, played = folder / "origin.log", folder / "played.json"
        log.touch()
        with (
            _origin(node, package, log) as origin,
            Proxy(folder, command=("secondhand", "serve", "--edge", origin, "--answer", answer)) as proxy,
        ):
            player = (node, "--no-warnings", HERE / "play.mjs", package, proxy.url, answer, played)
            subprocess.run([*player, *only], check=True, timeout=PATIENCE)
        return recording.read(json.loads(played.read_bytes()), [json.loads(line) for line in log.open()])


@contextmanager
def _origin(node: str, package: Path, log: Path) -> Iterator[str]:
    """Start the suite's server; it is its own base URL that it says."""
    settings = {"npm_config_protocol": "http", "npm_config_port": "0", "npm_config_pidfile": str(log.parent / "pid")}
    process = subprocess.Popen(
        [node, "--no-warnings", HERE / "origin.mjs", package, log],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        said = process.stdout.readline()
        assert said.startswith("Listening on "), f"the suite's server did not start: {said!r}"
        yield said.removeprefix("Listening on ").strip().rstrip("/")
    finally:
        process.terminate()
        process.communicate()
