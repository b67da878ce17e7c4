"""Spans of a real proxy reach a collector, and a collector that is gone does no harm."""

from __future__ import annotations

import http.client
import http.server
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector(http.server.ThreadingHTTPServer):
    """A collector of spans (OTLP over HTTP)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.names: list[str] = []
        self.trace_ids: set[str] = set()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        for resource in sent.resource_spans:
            for scope in resource.scope_spans:
                self.server.names += [span.name for span in scope.spans]
                self.server.trace_ids |= {span.trace_id.hex() for span in scope.spans}
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        yield collector
        collector.shutdown()


def ask(proxy: Proxy, url: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)) as connection:
        connection.request("GET", url, headers={"traceparent": PARENT})
        response = connection.getresponse()
        response.read()
        return response.status


@pytest.mark.parametrize(
    "options", [(), ("--workers", "2"), ("--no-door",)], ids=["one process", "workers", "mitmproxy"]
)
def test_spans_reach_the_collector(
    options: Sequence[str], tmp_path: Path, origin: Origin, collector: Collector
) -> None:
    page = serve_page(origin, "/page", b"page", {"Cache-Control": "max-age=600"})
    settings = {
        "ORIGIN__PROXY": "none",
        "TRACES__ENDPOINT": f"http://127.0.0.1:{collector.server_port}/v1/traces",
        "LOG__LEVEL": "info",
    }
    with Proxy(tmp_path, command=("secondhand", "serve", *options), settings=settings) as proxy:
        assert [ask(proxy, page), ask(proxy, page)] == [200, 203]
        proxy.stop()
    assert sorted(collector.names) == ["GET", "GET", "origin"]
    assert collector.trace_ids == {PARENT[3:35]}
    (asked,) = origin.requests_for("/page")
    assert asked.fields["traceparent"][:36] == PARENT[:36]
    assert asked.fields["traceparent"] != PARENT


def test_a_collector_that_is_gone_delays_no_response(tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/page", b"page", {"Cache-Control": "max-age=600"})
    settings = {"ORIGIN__PROXY": "none", "TRACES__ENDPOINT": f"http://127.0.0.1:{free_port()}/v1/traces"}
    with Proxy(tmp_path, settings=settings) as proxy:
        assert [ask(proxy, page) for _ in range(3)] == [200, 203, 203]
        proxy.stop()
