"""The fronts for the application of a test file, which has a fixture `application` with its URL."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.edge.browser import HOST
from tests.edge.fronts import PLACES, Certificates, Front, nginx_in_its_place
from tests.fixtures.throwaway_ca import ThrowawayCA


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    ca = ThrowawayCA(tmp_path_factory.mktemp("ca"), "throwaway")
    return Certificates(ca.file, ca.server_files(HOST, "127.0.0.1"))


@pytest.fixture(scope="module", params=PLACES)
def front(
    request: pytest.FixtureRequest,
    application: str,
    certificates: Certificates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Front]:
    """Run the test with secondhand in each place."""
    with PLACES[request.param](tmp_path_factory.mktemp("front"), application, certificates) as front:
        yield front


@pytest.fixture(scope="module")
def nginxes(
    front: Front, application: str, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Front]]:
    """nginx in the place of secondhand, with and without a cache."""
    with nginx_in_its_place(tmp_path_factory.mktemp("nginx"), application, certificates, front.scheme) as nginxes:
        yield nginxes


@pytest.fixture
def ann(front: Front) -> Iterator[httpx.Client]:
    """The browser of Ann."""
    with front.browser() as browser:
        yield browser


@pytest.fixture
def bob(front: Front) -> Iterator[httpx.Client]:
    """The browser of Bob."""
    with front.browser() as browser:
        yield browser
