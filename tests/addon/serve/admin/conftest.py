"""Fixtures of the tests of the admin listener."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.admin_client import AdminClient, admin_of
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.web_origin import Origin


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A running proxy, for all tests of a file."""
    with Proxy(tmp_path_factory.mktemp("proxy"), settings={"ORIGIN__PROXY": "none"}) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def admin(proxy: Proxy) -> AdminClient:
    """A client of its admin API."""
    return admin_of(proxy)


@pytest.fixture(scope="module", params=[(), ("--workers", "2")], ids=["one process", "workers"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A running proxy of one process, and then one of several."""
    command = ("secondhand", "serve", *request.param)
    with Proxy(tmp_path_factory.mktemp("proxy"), None, command, {"ORIGIN__PROXY": "none"}) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def api(running: Proxy) -> AdminClient:
    """A client of its admin API."""
    return admin_of(running)


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin
