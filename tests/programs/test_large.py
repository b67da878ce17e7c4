"""Bodies that do not fit a proxy's memory, and answers that come bit by bit."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
from pathlib import Path

import pytest

from tests.fixtures.pages import Events, page, receiving
from tests.fixtures.proxy_process import PATIENCE, Proxy
from tests.fixtures.web_origin import Origin
from tests.programs.programs import curl

MIB = 1 << 20
BUFFERS = 16 * MIB
"""Octets of memory that a proxy may need on top for a body of any size."""


@pytest.mark.parametrize("framing", ["Content-Length", "chunked"])
def test_an_upload_of_50_mb_passes_through_without_being_held(
    proxy: Proxy, either_origin: Origin, tmp_path: Path, framing: str
) -> None:
    url = either_origin.offer("/upload", receiving)
    curl(proxy, url, "--data", "warm up")
    proxy.forget_peak_memory()
    before = proxy.peak_memory()
    file = tmp_path / "upload"
    file.write_bytes(content := random.Random(50).randbytes(50 * MIB))
    options = ("--header", "Transfer-Encoding: chunked", "--http1.1") if framing == "chunked" else ()

    answer = curl(proxy, url, "--upload-file", str(file), *options)

    expected = {"method": "PUT", "octets": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert (answer.status, json.loads(answer.content)) == (201, expected)
    assert proxy.peak_memory() - before < BUFFERS


def test_a_download_of_60_mb_is_whole_from_the_origin_and_from_the_copy(proxy: Proxy, either_origin: Origin) -> None:
    url = either_origin.offer("/warm-up", page(b"warm up"))
    curl(proxy, url)
    proxy.forget_peak_memory()
    before = proxy.peak_memory()
    content = random.Random(60).randbytes(60 * MIB)
    url = either_origin.offer("/download", page(content, "application/octet-stream"))

    miss, hit = curl(proxy, url), curl(proxy, url)

    assert (miss.status, miss.content == content) == (200, True)
    assert (hit.status, hit.content == content) == (203, True)
    assert len(either_origin.requests_for("/download")) == 1
    assert proxy.peak_memory() - before < BUFFERS


def test_an_event_is_there_before_the_next_is_sent(proxy: Proxy, origin: Origin) -> None:
    events = Events()
    url = origin.offer("/events", events)
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE)
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
