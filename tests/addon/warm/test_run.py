"""`secondhand warm` with a real origin and a real store, without and with a running proxy."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from threading import Event

import pytest

from addon.pipeline.own_store import START_TIMEOUT, OwnStore
from addon.pipeline.store_watch import StoreWatch
from cache.stores.base import ResponseStore
from cache.stores.tiered.store import TieredStore
from tests.fixtures.command_line import secondhand
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import FRESH, serve_page
from tests.fixtures.web_origin import Origin

SITEMAP = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</urlset>'
SITEMAP_INDEX = '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</sitemapindex>'


def warmed(tmp_path: Path, *arguments: str | Path, code: int = 0) -> list[list[str]]:
    """Run `secondhand warm` and return the fields of each output line."""
    result = secondhand("warm", *arguments, "--store", tmp_path / "store")
    assert result.exit_code == code, result.output
    return [line.split("\t") for line in result.stdout.splitlines()]


def test_a_fetched_response_is_stored_and_not_fetched_again(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a")
    assert warmed(tmp_path, url) == [["fetched", url], ["1 fetched (5 B), 0 already fresh, 0 failed"]]
    assert warmed(tmp_path, url) == [["fresh", url], ["0 fetched (0 B), 1 already fresh, 0 failed"]]
    assert len(origin.requests) == 1
    assert url in secondhand("ls", "--store", tmp_path / "store").stdout


def test_a_repeated_call_fetches_only_what_is_not_stored_yet(tmp_path: Path, origin: Origin) -> None:
    first, second = serve_page(origin, "/1"), serve_page(origin, "/2")
    warmed(tmp_path, first)
    assert sorted(warmed(tmp_path, first, second)[:2]) == [["fetched", second], ["fresh", first]]
    assert [seen.target for seen in origin.requests] == ["/1", "/2"]


def test_a_store_that_takes_long_to_open_is_waited_for(
    tmp_path: Path, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: on a busy machine, what was stored was fetched again, and not kept."""
    url = serve_page(origin, "/a")
    warmed(tmp_path, url)
    wait_for_store = StoreWatch.store
    may_open, open_store = Event(), OwnStore._opened

    def late(own_store: OwnStore) -> TieredStore:
        may_open.wait()
        return open_store(own_store)

    def patient(watch: StoreWatch, timeout_after: float) -> ResponseStore:
        if timeout_after <= START_TIMEOUT:
            return wait_for_store(watch, 0)
        may_open.set()
        return wait_for_store(watch, timeout_after)

    monkeypatch.setattr(OwnStore, "_opened", late)
    monkeypatch.setattr(StoreWatch, "store", patient)
    assert warmed(tmp_path, url)[0] == ["fresh", url]


def test_without_a_store_nothing_is_fetched(tmp_path: Path, origin: Origin) -> None:
    (tmp_path / "store").write_text("a file")
    result = secondhand("warm", serve_page(origin, "/a"), "--store", tmp_path / "store")
    assert result.exit_code == 1
    assert result.stderr.startswith("secondhand: ")
    assert origin.requests == []


def test_a_stale_response_is_validated(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", fields={"Cache-Control": "max-age=0", "ETag": '"1"'})
    warmed(tmp_path, url)
    serve_page(origin, "/a", b"", {"ETag": '"1"'}, status=304)
    assert warmed(tmp_path, url)[0] == ["fetched", url]
    assert origin.requests[1].fields["if-none-match"] == '"1"'


@pytest.mark.parametrize(
    ("status", "fields", "why"),
    [
        (404, {}, "the origin says 404 Not Found"),
        (200, {"Cache-Control": "no-store"}, "not kept: the origin says no-store"),
        (200, {}, "not kept: it has neither a lifetime nor a validator"),
    ],
)
def test_a_response_that_is_not_stored_fails_with_the_reason(
    tmp_path: Path, origin: Origin, status: int, fields: dict[str, str], why: str
) -> None:
    url = serve_page(origin, "/a", fields=fields, status=status)
    assert warmed(tmp_path, url, code=1)[0] == ["failed", url, why]


def test_an_unreachable_origin_fails_and_other_urls_are_fetched(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a")
    gone = "http://127.0.0.1:9/"
    lines = warmed(tmp_path, gone, url, code=1)
    assert ["failed", gone, "127.0.0.1:9 refused the connection"] in lines
    assert ["fetched", url] in lines


def test_a_redirect_is_stored_and_followed(tmp_path: Path, origin: Origin) -> None:
    end = serve_page(origin, "/end")
    start = serve_page(origin, "/start", b"", {**FRESH, "Location": "/end"}, status=301)
    warmed(tmp_path, start)
    listed = secondhand("ls", "--store", tmp_path / "store").stdout
    assert start in listed
    assert end in listed


def test_a_redirect_loop_ends(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a", b"", {**FRESH, "Location": "/a"}, status=301)
    assert warmed(tmp_path, url, code=1)[0][2] == "more than 5 redirects"


def test_a_sitemap_index_with_a_compressed_sitemap(tmp_path: Path, origin: Origin) -> None:
    pages = [serve_page(origin, f"/{name}") for name in "abc"]
    one = serve_page(
        origin, "/one.xml", SITEMAP.format(f"<url><loc> {pages[0]}\n</loc></url><url><loc>/b</loc></url>").encode()
    )
    two = serve_page(origin, "/two.xml.gz", gzip.compress(SITEMAP.format(f"<url><loc>{pages[2]}</loc></url>").encode()))
    whole = SITEMAP_INDEX.format(f"<sitemap><loc>{one}</loc></sitemap><sitemap><loc>{two}</loc></sitemap>")
    index = serve_page(origin, "/index.xml", whole.encode())
    assert sorted(warmed(tmp_path, "--sitemap", index)[:-1]) == [["fetched", each] for each in pages]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<urlset><url>", "line 1, column 14: no element found, expected XML"),
        (b"<html></html>", 'found "html", expected urlset or sitemapindex'),
        (b'<!DOCTYPE a [<!ENTITY b "b">]><urlset/>', "found a document type declaration, which it must not have"),
        (gzip.compress(bytes(60_000_000)), "the content is more than 52428800 bytes without its coding gzip"),
        (b"\x1f\x8bnonsense", "the content is not gzip"),
        (SITEMAP.format("<url><loc>ftp://a.test/</loc></url>").encode(), 'expected a URL like "https://example.org/'),
    ],
)
def test_the_error_of_an_invalid_sitemap_tells_why(tmp_path: Path, origin: Origin, content: bytes, why: str) -> None:
    url = serve_page(origin, "/sitemap.xml", content)
    [line, _] = warmed(tmp_path, "--sitemap", url, code=1)
    assert line[0] == "failed"
    assert why in line[2]


def test_the_error_of_a_url_file_names_the_line(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a")
    file = tmp_path / "urls.txt"
    file.write_text(f"# pages\n\n{url}\n")
    assert warmed(tmp_path, "--file", file)[0] == ["fetched", url]
    file.write_text(f"{url}\nexample.org\n")
    [line, _] = warmed(tmp_path, "--file", file, code=1)
    assert line[:2] == ["failed", str(file)]
    assert line[2].startswith("line 2: expected a URL like")


def test_the_requests_of_a_har_are_repeated_without_credentials(tmp_path: Path, origin: Origin) -> None:
    url = serve_page(origin, "/a")
    headers = [{"name": "Accept-Language", "value": "de"}, {"name": "Cookie", "value": "secret=1"}]
    entries = [
        {"request": {"method": "GET", "url": f"{url}#top", "headers": headers}},
        {"request": {"method": "POST", "url": url, "headers": []}},
    ]
    file = tmp_path / "a.har"
    file.write_text(json.dumps({"log": {"entries": entries}}))
    assert warmed(tmp_path, "--har", file)[0] == ["fetched", url]
    [seen] = origin.requests
    assert seen.fields["accept-language"] == "de"
    assert "cookie" not in seen.fields


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"log": [', "line 1, column 10: Expecting value, expected JSON"),
        ("[]", "expected a JSON object"),
        ('{"log": {}}', "expected a HAR, whose log has a list of entries"),
        ('{"log": {"entries": [{"request": {}}]}}', "entry 0: expected a request with method, url and headers"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_the_error_of_an_invalid_har_names_the_place(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "a.har"
    file.write_text(text)
    assert warmed(tmp_path, "--har", file, code=1)[0] == ["failed", str(file), why]


def test_a_request_field_from_the_command_line_is_sent(tmp_path: Path, origin: Origin) -> None:
    warmed(tmp_path, serve_page(origin, "/a"), "-H", "Accept-Language: fr")
    assert origin.requests[0].fields["accept-language"] == "fr"


def test_the_report_as_json(tmp_path: Path, origin: Origin) -> None:
    result = secondhand(
        "warm", serve_page(origin, "/a"), "http://127.0.0.1:9/", "--store", tmp_path / "store", "--json"
    )
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["fetched"], report["there"], report["octets"]) == (1, 0, 5)
    assert report["failed"] == [{"name": "http://127.0.0.1:9/", "why": "127.0.0.1:9 refused the connection"}]


def test_warm_is_refused_without_a_source_and_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert secondhand("warm").exit_code == 2
    monkeypatch.setenv("SECONDHAND_CACHE__MODE", "offline")
    result = secondhand("warm", "http://a.test/", "--store", tmp_path / "store")
    assert result.exit_code == 1
    assert "cache.mode is offline" in result.stderr


def test_a_running_proxy_fetches_into_its_own_store(tmp_path: Path, origin: Origin) -> None:
    url, large = serve_page(origin, "/a"), serve_page(origin, "/large", bytes(3_000_000))
    sitemap = serve_page(origin, "/sitemap.xml", SITEMAP.format(f"<url><loc>{large}</loc></url>").encode())
    with Proxy(tmp_path, settings={"ORIGIN__PROXY": "none"}) as proxy:
        output = proxy.run("warm", url, "--sitemap", sitemap)
        assert sorted(output.splitlines()[:2]) == [f"fetched\t{url}", f"fetched\t{large}"]
        assert proxy.counters()["stored"] == 3
        assert "0 fetched (0 B), 1 already fresh" in proxy.run("warm", large)
