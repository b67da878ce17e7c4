"""A transparent mitmproxy with the cache as without it. The system must have iptables and network namespaces."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.fixtures.proxy_process import environment
from tests.programs.installed_programs import program
from tests.programs.secondhand_run import run_to_end, without_network

ROOT = Path(__file__).parents[2]


def _played(folder: Path, kind: str) -> dict[str, list[object]]:
    program("iptables")
    folder.mkdir()
    command = (*without_network(), sys.executable, "-m", "tests.programs.transparent_mitmdump", str(folder), kind)
    result = run_to_end(command, ROOT, environment(folder))
    assert result.code == 0, result.errors
    played = json.loads(result.output)
    assert "Traceback" not in played.pop("log")
    return dict(played)


def test_clients_that_know_no_proxy_get_copies(tmp_path: Path) -> None:
    """A client in clear can name any host to the address that it has connected to, so only that address is believed."""
    without, cached = _played(tmp_path / "without", "without"), _played(tmp_path / "cached", "cached")

    text = "hello, this is text"
    assert without == {"got": [[200, text]] * 6, "asked": [4, 2]}
    statuses = [200, 203, 200, 200, 200, 203]
    assert cached == {"got": [[status, text] for status in statuses], "asked": [3, 1]}
