"""The metrics of a real proxy: what happened is in them, also with several workers, one of which was killed."""

from __future__ import annotations

import http.client
import os
import signal
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures.admin_client import AdminClient, admin_of
from tests.fixtures.proxy_process import TIMEOUT, Proxy
from tests.fixtures.proxy_with_workers import kill_a_worker, start_workers
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin


def get(proxy: Proxy, url: str) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=TIMEOUT)) as connection:
        connection.request("GET", url)
        connection.getresponse().read()


def values(admin: AdminClient) -> Mapping[tuple[str, ...], float]:
    """Return the values by the name of the series and its labels, in the order of their names."""
    answer = admin.get("/metrics")
    assert answer.status == 200
    assert answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (
            sample.name.removeprefix("secondhand_"),
            *(sample.labels[name] for name in sorted(sample.labels)),
        ): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_the_metrics_say_why_the_hit_rate_fell(tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/page", b"page", {"Cache-Control": "max-age=600"})
    with Proxy(tmp_path, settings={"ORIGIN__PROXY": "none"}) as proxy:
        admin = admin_of(proxy)
        for _ in range(3):
            get(proxy, page)
        before = values(admin)
        assert before["requests_total", "hit", "", ""] == 2
        assert before["requests_total", "uri-miss", "", ""] == 1
        assert before["response_bytes_total", "hit", ""] == 8
        cookie = serve_page(origin, "/other", b"other", {"Cache-Control": "max-age=600", "Set-Cookie": "a=b"})
        for _ in range(2):
            get(proxy, cookie)
        get(proxy, "http://localhost:1/")
        after = values(admin)
        assert after["requests_total", "uri-miss", "set-cookie", ""] == 2
        assert after["requests_total", "refused", "fetch-failed", ""] == 1
        assert after["origin_failures_total", "connection_refused"] == 1
        assert after["responses_total", "502", ""] == 1
        assert after["store_working",] == 1
        assert 0 < after["store_bytes",] < after["store_max_bytes",]
        assert after["tier_entries", "memory"] == 1
        assert after["request_duration_seconds_count", "hit"] == 2
        assert after["origin_first_byte_seconds_count", ""] == 3
        assert after["flights",] == 0


def test_nothing_that_was_counted_is_lost_with_a_worker(tmp_path: Path, origin: Origin) -> None:
    page = serve_page(origin, "/page", b"page", {"Cache-Control": "max-age=600"})
    with start_workers(tmp_path) as proxy:
        admin = admin_of(proxy)
        for _ in range(20):
            get(proxy, page)
        assert _requests(admin) == 20
        kill_a_worker(proxy)
        assert _requests(admin) == 20
        os.kill(proxy.pid, signal.SIGHUP)  # new workers take the place of the old ones
        proxy.wait_for_message("settings reloaded")
        for _ in range(10):
            get(proxy, page)
        assert _requests(admin) == 30
        assert values(admin)["processes",] >= 2


def _requests(admin: AdminClient) -> float:
    return sum(value for (name, *_), value in values(admin).items() if name == "requests_total")


def test_the_metrics_need_the_token_unless_the_operator_says_otherwise(tmp_path: Path, admin: AdminClient) -> None:
    assert admin.ask("GET", "/metrics").status == 401
    assert admin.ask("GET", "/metrics", {"Host": "192.0.2.1:9000"}).status == 403
    assert admin.ask("GET", "/metrics", {"Host": "192.0.2.1:9000", **admin.authorization}).status == 200
    assert admin.ask("GET", "/status", {"Host": "192.0.2.1:9000", **admin.authorization}).status == 403
    with Proxy(tmp_path, settings={"ADMIN__METRICS_WITHOUT_TOKEN": "true"}) as proxy:
        assert admin_of(proxy).ask("GET", "/metrics", {"Host": "192.0.2.1:9000"}).status == 200
        assert admin_of(proxy).ask("GET", "/status").status == 401
