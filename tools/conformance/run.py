"""A run of the suite: its origin, `secondhand serve --edge` and its client, each in a process of its own."""

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

type AnswerStatus = Literal["origin", "always"]
"""Values of the setting `answer.status`."""

HERE = Path(__file__).parent
# five tests demand that cookies are repeated to other clients, which the default does not do
SETTINGS = {"CACHE__SET_COOKIE": "store", "CACHE__CLIENT_RELOAD": "honour"}
"""Settings of the proxy, by the names of their environment variables, without the prefix."""

TIMEOUT = 150
"""Seconds for a run, which takes about fifty."""


def run_suite(answer: AnswerStatus, only: Collection[str] = (), *, workers: int = 1) -> recording.Recording:
    """Run the suite with a new store, or only the tests with these ids, and return the recording.

    The proxy has so many `workers`.

    Raises SuiteUnavailable, CalledProcessError or TimeoutExpired.
    """
    package, node = suite.install(), suite.find_program("node")
    with tempfile.TemporaryDirectory(prefix="conformance-") as name:
        folder = Path(name)
        log, played = folder / "origin.log", folder / "played.json"
        log.touch()
        with (
            _origin(node, package, log) as origin,
            Proxy(
                folder,
                command=("secondhand", "serve", "--edge", origin, "--answer", answer),
                settings=SETTINGS | {"WORKERS": str(workers)},
            ) as proxy,
        ):
            player = (node, "--no-warnings", HERE / "play.mjs", package, proxy.url, answer, played)
            subprocess.run([*player, *only], check=True, timeout=TIMEOUT)
        return recording.read(json.loads(played.read_bytes()), [json.loads(line) for line in log.open()])


@contextmanager
def _origin(node: str, package: Path, log: Path) -> Iterator[str]:
    """Start the suite's origin and provide its base URL, which it prints."""
    settings = {"npm_config_protocol": "http", "npm_config_port": "0", "npm_config_pidfile": str(log.parent / "pid")}
    process = subprocess.Popen(
        [node, "--no-warnings", HERE / "origin.mjs", package, log],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert line.startswith("Listening on "), f"the suite's origin did not start: {line!r}"
        yield line.removeprefix("Listening on ").strip().rstrip("/")
    finally:
        process.terminate()
        process.communicate()
