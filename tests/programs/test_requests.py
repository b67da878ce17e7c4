"""Python's requests with the proxy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.fixtures.pages import page
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.web_origin import Origin


@pytest.fixture
def session(proxy: Proxy) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": proxy.url, "https": proxy.url}
        session.verify = str(proxy.certificate)
        yield session


def test_the_second_response_is_the_copy_as_203_and_still_ok(session: requests.Session, either_origin: Origin) -> None:
    url = either_origin.offer("/requests", page(b'{"works": true}', "application/json"))

    first, second = session.get(url), session.get(url)

    assert (first.status_code, first.json()) == (200, {"works": True})
    assert (second.status_code, second.reason) == (203, "Non-Authoritative Information")
    assert second.ok
    assert second.json() == {"works": True}


def test_a_client_with_an_outdated_entity_tag_gets_the_copy(session: requests.Session, either_origin: Origin) -> None:
    url = either_origin.offer("/outdated", page(b"new"))
    session.get(url)

    response = session.get(url, headers={"If-None-Match": '"old"'})

    assert (response.status_code, response.content) == (203, b"new")
