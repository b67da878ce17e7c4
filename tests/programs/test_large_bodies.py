"""Bodies that are larger than the proxy's buffers, and responses whose parts arrive one by one."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
from pathlib import Path

import pytest

from tests.fixtures.pages import EventStream, accept_upload, page
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.web_origin import Origin
from tests.programs.installed_programs import curl

MIB = 1 << 20
MAX_EXTRA_MEMORY = 16 * MIB
"""Bytes of memory that the proxy may use in addition for a body of any size."""


@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
def test_an_upload_of_50_mib_is_not_held_in_memory(
    proxy: Proxy, either_origin: Origin, tmp_path: Path, framing: str
) -> None:
    url = either_origin.offer("/upload", accept_upload)
    curl(proxy, url, "--data", "warm up")
    proxy.reset_peak_memory()
    before = proxy.peak_memory()
    file = tmp_path / "upload"
    file.write_bytes(content := random.Random(50).randbytes(50 * MIB))
    options = ("--header", "Transfer-Encoding: chunked", "--http1.1") if framing == "chunked" else ()

    response = curl(proxy, url, "--upload-file", str(file), *options)

    expected = {"method": "PUT", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert (response.status, json.loads(response.content)) == (201, expected)
    assert proxy.peak_memory() - before < MAX_EXTRA_MEMORY


def test_a_download_of_60_mib_is_complete_from_the_origin_and_from_the_copy(
    proxy: Proxy, either_origin: Origin
) -> None:
    url = either_origin.offer("/warm-up", page(b"warm up"))
    curl(proxy, url)
    proxy.reset_peak_memory()
    before = proxy.peak_memory()
    content = random.Random(60).randbytes(60 * MIB)
    url = either_origin.offer("/download", page(content, "application/octet-stream"))

    miss, hit = curl(proxy, url), curl(proxy, url)

    assert (miss.status, miss.content == content) == (200, True)
    assert (hit.status, hit.content == content) == (203, True)
    assert len(either_origin.requests_for("/download")) == 1
    assert proxy.peak_memory() - before < MAX_EXTRA_MEMORY


def test_an_event_reaches_the_client_before_the_next_one_is_sent(proxy: Proxy, origin: Origin) -> None:
    events = EventStream()
    url = origin.offer("/events", events)
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)
    try:
        connection.request("GET", url, headers={"Accept": "text/event-stream"})
        stream = connection.getresponse()
        assert stream.status == 200

        assert stream.read1() == b"data: first\n\n"
        events.first_was_read.set()
        assert stream.read() == b"data: second\n\n"
    finally:
        events.first_was_read.set()
        connection.close()
