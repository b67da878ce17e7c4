"""curl with the proxy."""

from __future__ import annotations

import json

from tests.fixtures.pages import accept_upload, page
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import curl


def test_the_second_response_is_the_copy_with_the_fields_of_a_hit(proxy: Proxy, either_origin: Origin) -> None:
    url = either_origin.offer("/twice", page(b"hello\n"))

    first, second = curl(proxy, url), curl(proxy, url)

    assert (first.status, first.content) == (200, b"hello\n")
    assert first.fields["Cache-Status"] == "secondhand; fwd=uri-miss; stored"
    assert (second.status, second.content) == (203, b"hello\n")
    assert second.fields["Cache-Status"].startswith("secondhand; hit; ttl=")
    assert int(second.fields["Age"]) >= 0
    assert "secondhand" in second.fields["Via"]
    assert len(either_origin.requests_for("/twice")) == 1


def test_head_is_answered_from_the_copy_of_a_get(proxy: Proxy, either_origin: Origin) -> None:
    url = either_origin.offer("/head", page(b"twelve bytes"))
    curl(proxy, url)

    response = curl(proxy, url, "--head")

    assert (response.status, response.fields["Content-Length"]) == (203, "12")
    assert len(either_origin.requests_for("/head")) == 1


def test_a_range_is_answered_from_the_whole_copy(proxy: Proxy, either_origin: Origin) -> None:
    url = either_origin.offer("/range", page(b"0123456789"))
    curl(proxy, url)

    response = curl(proxy, url, "--range", "3-5")

    assert (response.status, response.fields["Content-Range"], response.content) == (206, "bytes 3-5/10", b"345")
    assert len(either_origin.requests_for("/range")) == 1


def test_a_client_with_the_current_entity_tag_gets_304(proxy: Proxy, either_origin: Origin) -> None:
    url = either_origin.offer("/known", page(b"known"))
    tag = curl(proxy, url).fields["ETag"]

    response = curl(proxy, url, "--header", f"If-None-Match: {tag}")

    assert (response.status, response.content) == (304, b"")
    assert len(either_origin.requests_for("/known")) == 1


def test_an_upload_reaches_the_origin_and_the_client_gets_its_response(proxy: Proxy, either_origin: Origin) -> None:
    url = either_origin.offer("/upload", accept_upload)

    response = curl(proxy, url, "--data-binary", "a=1&b=2")

    assert response.status == 201
    assert json.loads(response.content) | {"sha256": ""} == {"method": "POST", "size": 7, "sha256": ""}
