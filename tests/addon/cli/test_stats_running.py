"""The command stats beside a real proxy, whose settings are not those of the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.command_line import secondhand
from tests.fixtures.proxy_process import Proxy

pytestmark = pytest.mark.usefixtures("default_settings")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_limit_of_the_store_is_that_of_the_running_proxy(workers: str, tmp_path: Path) -> None:
    serve = ("secondhand", "serve", "--workers", workers)
    with Proxy(tmp_path, command=serve, settings={"STORE__MAX_SIZE": "2 MiB"}) as proxy:
        printed = secondhand("stats", "--store", tmp_path / "store").stdout
        found = json.loads(secondhand("stats", "--store", tmp_path / "store", "--json").stdout)
        proxy.stop()
    assert " of 2 MiB, " in printed
    assert found["store"]["max_size"] == 2 * 1024**2
