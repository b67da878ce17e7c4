"""mitmproxy with the cache where the network allows little. The system must have iptables and network namespaces."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.fixtures.environment import environment
from tests.programs.installed_programs import program
from tests.programs.secondhand_run import run_to_end, without_network
from tests.programs.upstream_only import ASKED

ROOT = Path(__file__).parents[2]


def _played(folder: Path, scenario: str, kind: str) -> dict[str, list[object]]:
    """Return what a program has printed that runs in a network namespace of its own."""
    program("iptables")
    folder.mkdir()
    command = (*without_network(), sys.executable, "-m", f"tests.programs.{scenario}", str(folder), kind)
    result = run_to_end(command, ROOT, environment(folder))
    assert result.code == 0, result.errors
    played = json.loads(result.output)
    assert "Traceback" not in played.pop("log")
    return dict(played)


def test_clients_of_a_transparent_proxy_get_copies(tmp_path: Path) -> None:
    """A client in clear can name any host to the address that it has connected to, so only that address is believed."""
    without, cached = (_played(tmp_path / kind, "transparent_mitmdump", kind) for kind in ("without", "cached"))

    text = "hello, this is text"
    assert without == {"got": [[200, text]] * 6, "asked": [4, 2]}
    statuses = [200, 203, 200, 200, 200, 203]
    assert cached == {"got": [[status, text] for status in statuses], "asked": [3, 1]}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_tries_to_reach_an_origin_beside_the_upstream_proxy(scheme: str, tmp_path: Path) -> None:
    """Neither a miss, nor a validation, nor one in the background."""
    played = _played(tmp_path / "run", "upstream_only", scheme)

    assert played == {"got": [200, 203, 203, 200, 203, 200], "asked": ASKED, "refused": ["0"]}
