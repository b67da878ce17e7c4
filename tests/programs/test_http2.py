"""Programs that speak HTTP/2 to the proxy: through a CONNECT tunnel, or in clear to the proxy's own port."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.pages import accept_upload, page
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import curl, program, run

NODE_SCRIPT = Path(__file__).with_name("http2.mjs")


def in_clear(proxy: Proxy) -> tuple[str, ...]:
    """Return curl's options for HTTP/2 in clear to the proxy, as if the proxy were every host."""
    return "--noproxy", "*", "--http2-prior-knowledge", "--connect-to", f"::127.0.0.1:{proxy.port}"


@pytest.fixture(autouse=True)
def curl_speaks_http2(proxy: Proxy) -> None:
    if "HTTP2" not in run(proxy.folder, program("curl"), "--version"):
        pytest.skip("this curl speaks no HTTP/2")


def test_curl_gets_the_copy_over_http2_in_a_tunnel(proxy: Proxy, secure_origin: Origin) -> None:
    url = secure_origin.offer("/two", page(b"two"))

    first, second = curl(proxy, url, "--http2"), curl(proxy, url, "--http2")

    assert (first.status, first.version, first.content) == (200, "2", b"two")
    assert (second.status, second.version, second.content) == (203, "2", b"two")
    assert len(secure_origin.requests_for("/two")) == 1


def test_curl_gets_the_copy_over_http2_in_clear(proxy: Proxy, origin: Origin) -> None:
    url = origin.offer("/two", page(b"two"))

    first, second = curl(proxy, url, *in_clear(proxy)), curl(proxy, url, *in_clear(proxy))

    assert (first.status, first.version, first.content) == (200, "2", b"two")
    assert (second.status, second.version, second.content) == (203, "2", b"two")


def test_curl_gets_the_copy_that_another_protocol_has_stored(proxy: Proxy, secure_origin: Origin) -> None:
    url = secure_origin.offer("/both", page(b"both"))

    first, second = curl(proxy, url, "--http1.1"), curl(proxy, url, "--http2")

    assert (first.status, first.version) == (200, "1.1")
    assert (second.status, second.version) == (203, "2")


def test_curl_uploads_and_downloads_megabytes_over_http2(proxy: Proxy, secure_origin: Origin, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(bytes(range(256)) * 20_000)
    sent = curl(proxy, secure_origin.offer("/upload", accept_upload), "--http2", "--data-binary", f"@{upload}")
    large = secure_origin.offer("/large", page(upload.read_bytes()))

    first, second = curl(proxy, large, "--http2"), curl(proxy, large, "--http2")

    assert (sent.status, json.loads(sent.content)["size"]) == (201, upload.stat().st_size)
    assert (first.status, first.content) == (200, upload.read_bytes())
    assert (second.status, second.content) == (203, upload.read_bytes())


def test_node_gets_the_copy_over_http2(proxy: Proxy, either_origin: Origin) -> None:
    url = either_origin.offer("/node-two", page(b"two"))

    printed = run(
        proxy.folder,
        *(program("node"), str(NODE_SCRIPT), "127.0.0.1", str(proxy.port), url),
        NODE_EXTRA_CA_CERTS=str(proxy.certificate),
    )

    first, second = map(json.loads, printed.splitlines())
    assert first == {"status": 200, "text": "two"}
    assert second == {"status": 203, "text": "two"}


def test_h2load_gets_a_thousand_copies_on_ten_connections(proxy: Proxy, origin: Origin) -> None:
    url = origin.offer("/load", page(b"x" * 1024))
    curl(proxy, url)

    printed = run(
        proxy.folder,
        *(program("h2load"), "-n", "1000", "-c", "10", "-m", "10", f"--connect-to=127.0.0.1:{proxy.port}", url),
    )

    assert "1000 succeeded, 0 failed, 0 errored" in printed
    assert len(origin.requests_for("/load")) == 1


def test_nghttp_gets_the_copy(proxy: Proxy, origin: Origin) -> None:
    url = origin.offer("/nghttp", page(b"page"))
    curl(proxy, url)
    authority = url.split("/")[2]

    printed = run(
        proxy.folder,
        *(program("nghttp"), "--verbose", "--header", f":authority: {authority}"),
        f"http://127.0.0.1:{proxy.port}/nghttp",
    )

    assert ":status: 203" in printed
    assert len(origin.requests_for("/nghttp")) == 1
