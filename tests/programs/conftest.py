"""A proxy and two origins, shared by the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.proxy_process import Proxy
from tests.fixtures.throwaway_ca import Authority
from tests.fixtures.web_origin import Origin
from tests.programs.running import Runner


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "throwaway")


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture(scope="module")
def secure_origin(authority: Authority) -> Iterator[Origin]:
    with Origin(authority.context("localhost")) as origin:
        yield origin


@pytest.fixture(params=["http", "https"])
def either_origin(request: pytest.FixtureRequest, origin: Origin, secure_origin: Origin) -> Origin:
    """Each test that asks for it runs twice."""
    return origin if request.param == "http" else secure_origin


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Proxy]:
    with Proxy(tmp_path_factory.mktemp("proxy"), trusts=authority.file) as proxy:
        yield proxy


@pytest.fixture
def runner(tmp_path: Path, authority: Authority) -> Runner:
    home = tmp_path / "home"
    home.mkdir()
    return Runner(home, authority.file)
