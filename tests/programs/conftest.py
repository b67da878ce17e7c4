"""A proxy and two origins for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.admin_client import admin_of, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.web_origin import Origin
from tests.programs.echo_origin import EchoOrigin
from tests.programs.page_visits import HOSTILE
from tests.programs.secondhand_run import Runner


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayCA:
    return ThrowawayCA(tmp_path_factory.mktemp("ca"), "throwaway")


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture(scope="module")
def secure_origin(ca: ThrowawayCA) -> Iterator[Origin]:
    with Origin(ca.server_context("localhost")) as origin:
        yield origin


@pytest.fixture(params=["http", "https"])
def either_origin(request: pytest.FixtureRequest, origin: Origin, secure_origin: Origin) -> Origin:
    """Run the test twice: with an http origin and with an https origin."""
    return origin if request.param == "http" else secure_origin


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory, ca: ThrowawayCA) -> Iterator[Proxy]:
    with Proxy(tmp_path_factory.mktemp("proxy"), origin_ca=ca.file) as proxy:
        yield proxy


@pytest.fixture(params=["http", "https"], scope="module")
def echo(request: pytest.FixtureRequest, ca: ThrowawayCA) -> Iterator[EchoOrigin]:
    """Run the test twice: with fixed pages over http and over https."""
    context = ca.server_context("localhost", "127.0.0.1") if request.param == "https" else None
    with EchoOrigin(context) as echo:
        yield echo


@pytest.fixture
def runner(tmp_path: Path, ca: ThrowawayCA) -> Runner:
    home = tmp_path / "home"
    home.mkdir()
    return Runner(home, ca.file)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory, origin: Origin) -> Iterator[Proxy]:
    """A proxy that clients have used: copies, misses of three kinds, a URL that is missing offline, hostile texts."""
    with Proxy(tmp_path_factory.mktemp("used"), settings={"ORIGIN__PROXY": "none"}) as proxy:
        for number in range(60):
            visit(proxy, serve_page(origin, f"/static/{number:02}", b"x" * 1000))
        for _ in range(3):
            visit(proxy, serve_page(origin, "/static/00", b"x" * 1000))
            visit(proxy, serve_page(origin, "/secret", fields={"Cache-Control": "no-store"}))
        fields = {"Cache-Control": "max-age=600", "X-Odd": HOSTILE, "Content-Type": "text/html"}
        visit(proxy, serve_page(origin, f"/{HOSTILE}", f"<body>{HOSTILE}".encode(), fields))
        admin_of(proxy).send("PUT", "/modes", {"mode": "offline", "host": "missing.example"})
        visit(proxy, "http://missing.example/wanted")
        yield proxy
