"""`secondhand recordings diff`: the exit code says whether two recordings are the same, and the output where not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from addon.recordings.library import RecordingLibrary
from tests.addon.recordings.libraries import put
from tests.fixtures.admin_client import visit
from tests.fixtures.command_line import secondhand
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin

URL = "http://a.test/page"


@pytest.fixture
def library(default_settings: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RecordingLibrary:
    monkeypatch.setenv("SECONDHAND_STORE__PATH", str(tmp_path / "store"))
    monkeypatch.setenv("SECONDHAND_ORIGIN__PROXY", "none")
    return RecordingLibrary(tmp_path / "store" / "recordings")


def record(library: RecordingLibrary, name: str, url: str, content: bytes, *fields: str) -> None:
    with library.create(name) as store:
        put(store, url, content, *fields)


def test_equal_recordings_have_exit_code_0_and_others_1(library: RecordingLibrary) -> None:
    record(library, "a", URL, b"same", "X-Id: 1")
    record(library, "b", URL, b"same", "X-Id: 2")
    same = secondhand("recordings", "diff", "a", "a")
    assert (same.exit_code, same.stdout, same.stderr) == (0, "", "secondhand: no differences\n")
    differ = secondhand("recordings", "diff", "a", "b")
    assert (differ.exit_code, differ.stdout.splitlines()) == (
        1,
        ["METHOD\tURL\tPART\ta\tb", f"GET\t{URL}\tx-id\t1\t2"],
    )
    assert secondhand("diff", "a", "b").stdout == differ.stdout
    assert secondhand("diff", "a", "b", "--ignore", "X-ID").exit_code == 0
    assert secondhand("diff", "a", "none").exit_code == 3
    assert secondhand("diff", "none").exit_code == 3
    assert secondhand("diff", "../a").exit_code == 2


def test_the_lines_of_texts_are_printed_when_asked_for(library: RecordingLibrary) -> None:
    record(library, "a", URL, b"one\ntwo\n")
    record(library, "b", URL, b"one\nthree\nf\x1b[31mour\n")
    printed = secondhand("diff", "a", "b", "--lines").stdout.splitlines()
    assert printed[2:] == ["", f"GET {URL}", "     1   one", "     2 - two", "     2 + three", "     3 + f\\x1b[31mour"]


@pytest.mark.parametrize("options", [(), ("--json",), ("--json", "--lines")])
def test_texts_are_not_compared_by_line_where_no_lines_are_printed(
    library: RecordingLibrary, monkeypatch: pytest.MonkeyPatch, origin: Origin, options: tuple[str, ...]
) -> None:
    url = serve_page(origin, "/page", b"now", {})
    record(library, "a", url, b"then")
    record(library, "b", url, b"later")
    compared: list[object] = []
    monkeypatch.setattr("addon.recordings.content_diff.text_of", lambda *given: compared.append(given))
    assert "content" in secondhand("diff", "a", "b", *options).stdout
    assert "content" in secondhand("diff", "a", *options).stdout
    assert compared == []


def test_without_a_second_recording_the_origin_is_asked(library: RecordingLibrary, origin: Origin) -> None:
    url = serve_page(origin, "/page", b"now", {})
    record(library, "a", url, b"now")
    assert secondhand("diff", "a", "--ignore", "server").exit_code == 0
    serve_page(origin, "/page", b"later", {})
    (found,) = json.loads(secondhand("diff", "a", "--ignore", "server", "--json").stdout)
    assert (found["url"], found["what"], found["second"].split()[:2]) == (url, "content", ["5", "bytes,"])


def test_an_origin_that_does_not_answer_makes_it_fail(library: RecordingLibrary) -> None:
    with Origin() as closed:
        url = f"http://localhost:{closed.port}/"
    record(library, "a", url, b"then")
    result = secondhand("diff", "a", "--json")
    assert result.exit_code == 1
    assert [(each["url"], each["what"]) for each in json.loads(result.stdout)] == [(url, "not compared")]


def test_offline_no_origin_is_asked(library: RecordingLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    record(library, "a", URL, b"then")
    monkeypatch.setenv("SECONDHAND_CACHE__MODE", "offline")
    result = secondhand("diff", "a")
    assert (result.exit_code, "the proxy is offline, so no origin is asked" in result.stderr) == (1, True)


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "workers"])
def test_the_running_proxy_asks_the_origin(tmp_path: Path, origin: Origin, options: tuple[str, ...]) -> None:
    urls = [serve_page(origin, f"/{number:02}", b"then", {"Cache-Control": "no-store"}) for number in range(20)]
    with Proxy(tmp_path, None, ("secondhand", "serve", *options), {"ORIGIN__PROXY": "none"}) as proxy:
        proxy.run("record", "a")
        for url in urls:
            visit(proxy, url)
        proxy.run("record", "--stop")
        assert proxy.run("recordings", "diff", "a") == ""
        serve_page(origin, "/19", b"now", {"Cache-Control": "no-store"})
        ended = proxy.start("recordings", "diff", "a")
        printed, _ = ended.communicate(timeout=60)
        assert ended.returncode == 1
        assert [line.split("\t")[1:3] for line in printed.splitlines()[1:]] == [[urls[19], "content"]]
