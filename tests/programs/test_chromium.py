"""A browser that uses the proxy."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.pages import ReportPage, page
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.web_origin import Origin
from tests.programs.chromium import chromium

PARTS = {
    "page.html": page(Path(__file__).with_name("page.html").read_bytes(), "text/html"),
    "style.css": page(b"body { color: rgb(1, 2, 3) }", "text/css"),
    "script.js": page(b"window.scriptRan = true;", "text/javascript"),
    "image.svg": page(b'<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>', "image/svg+xml"),
    "words.txt": page(b"words"),
}


def test_a_page_from_copies_looks_the_same_and_only_fetch_gets_200(
    proxy: Proxy, either_origin: Origin, tmp_path: Path
) -> None:
    reports = ReportPage()
    either_origin.offer("/site/report", reports)
    for name, part in PARTS.items():
        url = either_origin.offer(f"/site/{name}", part)
    url = url.replace("words.txt", "page.html")

    with chromium(proxy, url, tmp_path / "first"):
        first = reports.next()
    with chromium(proxy, url, tmp_path / "second"):
        second = reports.next()

    whole = {"fetched": [200, "words"], "script": True, "style": "rgb(1, 2, 3)", "image": 7}
    loaded = ("page.html", "style.css", "script.js", "image.svg")
    assert first == {"statuses": dict.fromkeys(loaded, 200), **whole}
    assert second == {"statuses": dict.fromkeys(loaded, 203), **whole}
    for name in PARTS:
        assert len(either_origin.requests_for(f"/site/{name}")) == 1
    assert proxy.counters()["exempted.fetch-dest"] >= 1
