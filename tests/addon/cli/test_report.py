"""The command report: one page that says what is true, is safe to open, and needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest

from addon.runtime.host_counters import HOST_COUNTERS
from addon.runtime.series.counts import COUNTS, NOTHING
from addon.runtime.series.series_file import SeriesFile
from tests.fixtures.command_line import secondhand
from tests.fixtures.kept_copies import running_proxy

pytestmark = pytest.mark.usefixtures("default_settings")

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe'


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def report(directory: Path, *options: str) -> str:
    """Return the page about a store."""
    out = directory.parent / "report.html"
    result = secondhand("report", "--store", directory, "--out", out, *options)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"written: {out}\n"
    return out.read_text(encoding="utf-8")


def cells(html: str) -> list[str]:
    """Return the text of all cells."""
    return [re.sub("<[^>]*>", "", cell).strip() for cell in re.findall("<td[^>]*>(.*?)</td>", html)]


async def stats(_: Mapping[str, object]) -> dict[str, object]:
    return {"requests": 5, "not_stored.no-store": 4, "not_stored.of-another-version": 1, "refused.fetch-failed": 2}


async def store(_: Mapping[str, object]) -> dict[str, object]:
    return {"state": "open"}


async def summary(_: Mapping[str, object]) -> dict[str, object]:
    host = dict.fromkeys(HOST_COUNTERS, 0) | {"requests": 5, "hits": 1}
    return {"since": time.time(), "hosts": {HOSTILE: host}, "contents": None, "max_size": 1 << 30}


async def series(_: Mapping[str, object]) -> dict[str, object]:
    point = {"at": int(time.time()) // 3600 * 3600, **dict.fromkeys(COUNTS, 0), "hit": 3, "miss": 1}
    old = point | {"at": int(time.time()) - 20 * 86_400, "hit": 1000}
    return {"range": "30d", "step": 3600, "points": [old, point]}


def test_without_a_running_proxy_there_are_the_counts_over_time_and_what_is_stored(directory: Path) -> None:
    file = SeriesFile(directory)
    file.add(time.time() - 86_400, (60, 20, *NOTHING[2:]))
    file.add(time.time() - 3 * 86_400, (0, 0, 0, 20, *NOTHING[4:]))
    file.add(time.time() - 9 * 86_400, (0, 0, 0, 0, 0, 1000, *NOTHING[6:]))
    html = report(directory)
    text = Page(html).text
    assert "80.0%" in text
    assert "80 of 100 responses from copies" in text
    assert "3 stored responses" in text
    assert "Only a running one knows this." in text
    assert cells(html)[:2] == ["hit", "60"]
    assert "1,000" not in text
    assert "1,020 responses" not in text


def test_no_section_is_empty_without_a_running_proxy(directory: Path) -> None:
    html = report(directory)
    assert re.findall(r"</h2>\s*(?:<h2>|</main>)", html) == []


def test_reasons_and_hosts_are_those_of_the_running_proxy(directory: Path) -> None:
    with running_proxy(directory, stats=stats, store=store, summary=summary, series=series):
        html = report(directory)
    found = cells(html)
    place = found.index("no-store")
    assert found[place - 1] == "4"
    assert found[place + 1] == "the origin says no-store"
    assert "of-another-version" in found
    assert found[found.index("fetch-failed") - 1] == "2"
    assert "20.0%" in found  # the hit rate of the host


def test_of_a_store_in_memory_the_proxy_tells_the_counts(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDHAND_STORE__KIND", "memory")
    with running_proxy(directory, stats=stats, store=store, summary=summary, series=series):
        assert "3 of 4 responses from copies" in report(directory)


def test_a_hostile_host_stays_text(directory: Path) -> None:
    with running_proxy(directory, stats=stats, store=store, summary=summary, series=series):
        html = report(directory)
    page = Page(html)
    assert {tag for tag, _ in page.tags} & {"script", "img", "link", "iframe", "a", "form", "object"} == set()
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in html


def test_the_page_needs_nothing_from_elsewhere_and_allows_its_own_style_only(directory: Path) -> None:
    html = report(directory)
    page = Page(html)
    assert not re.search("https?://|url\\(|@import|src=|href=", html)
    (policy,) = (attributes["content"] for _, attributes in page.tags if attributes.get("http-equiv"))
    style = re.search("<style>(.*)</style>", html, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_mistakes_in_stored_fields_are_counted_by_host(directory: Path) -> None:
    found = cells(report(directory))
    place = found.index("a directive twice, with different values")
    assert found[place - 3 : place + 2] == ["1", "bad", "cache-control", found[place], "b.test"]


def test_a_store_without_anything_has_a_report(tmp_path: Path) -> None:
    text = Page(report(tmp_path / "none")).text
    assert "No request was counted in this time." in text
    assert "0%" in text
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("since", ["31d", "0", "soon", "-1h"])
def test_a_time_for_which_nothing_is_kept_is_refused(since: str, directory: Path, tmp_path: Path) -> None:
    result = secondhand("report", f"--since={since}", "--store", directory, "--out", tmp_path / "report.html")
    assert result.exit_code == 2
    assert since in result.stderr
    assert not (tmp_path / "report.html").exists()


def test_a_file_that_cannot_be_written_is_named(directory: Path, tmp_path: Path) -> None:
    result = secondhand("report", "--store", directory, "--out", tmp_path / "none" / "report.html")
    assert result.exit_code == 1
    assert f"{tmp_path}/none/report.html: No such file or directory" in result.stderr


def test_the_sums_are_printed_as_json(directory: Path, tmp_path: Path) -> None:
    SeriesFile(directory).add(time.time(), (5, *NOTHING[1:]))
    out = tmp_path / "report.html"
    printed = json.loads(secondhand("report", "--store", directory, "--out", out, "--since", "1h", "--json").stdout)
    assert printed["file"] == str(out)
    assert printed["until"] - printed["since"] == pytest.approx(3600)
    assert printed["counts"] == dict.fromkeys(COUNTS, 0) | {"hit": 5}
