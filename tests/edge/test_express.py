"""An Express site behind the edge: express-session, compression, express.static."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.edge.browser import is_copy, pages_of_two
from tests.edge.comparison import ERROR_PAGE, Ask, check_same_answers
from tests.edge.fronts import Front
from tests.edge.servers import npm_packages, server
from tests.fixtures.free_port import free_port
from tests.programs.installed_programs import program

AS_FOR_GET = "compression compresses no response to HEAD; this is the copy of a GET"


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("express"), free_port()
    with server(folder, port, program("node"), npm_packages("express_site") / "server.cjs", str(port)):
        yield f"http://127.0.0.1:{port}"


def log_in(browser: httpx.Client, name: str) -> httpx.Response:
    return browser.post("/login", data={"name": name})


def test_each_person_sees_only_their_own_page(ann: httpx.Client, bob: httpx.Client, front: Front) -> None:
    for name, pages in pages_of_two(ann, bob, log_in, "/").items():
        assert pages == {f"This is the page of {name}."}
    with front.browser() as stranger:
        assert stranger.get("/").text == "Nobody is logged in."


def test_a_login_leads_back_to_the_same_host_and_scheme(ann: httpx.Client, front: Front) -> None:
    [redirect] = log_in(ann, "ann").history
    assert (redirect.status_code, redirect.headers["Location"]) == (303, f"{front.url}/")
    assert ("Secure" in redirect.headers["Set-Cookie"]) == (front.scheme == "https")


def test_logging_out_ends_one_session_alone(ann: httpx.Client, bob: httpx.Client) -> None:
    log_in(ann, "ann")
    log_in(bob, "bob")
    assert ann.post("/logout").text == "Nobody is logged in."
    assert ann.get("/").text == "Nobody is logged in."
    assert bob.get("/").text == "This is the page of bob."


@pytest.mark.parametrize("target", ["/static/script.js", "/versions/script.js", "/article", "/api/1?sort=up"])
def test_what_is_for_all_is_fetched_once(ann: httpx.Client, bob: httpx.Client, target: str) -> None:
    log_in(ann, "ann")
    first, copy = ann.get(target), bob.get(target)
    assert is_copy(copy)
    assert copy.text == first.text
    assert copy.headers.get("Content-Encoding") == first.headers.get("Content-Encoding")


def test_pages_differ_by_their_query(ann: httpx.Client) -> None:
    for sort in ("up", "down", "up"):
        assert ann.get(f"/api/2?sort={sort}").json() == {"item": "2", "sort": sort}


def test_a_copy_is_compressed_only_for_those_who_accept_it(ann: httpx.Client) -> None:
    texts = set()
    for accepted, coding in (("gzip", "gzip"), ("identity", None), ("gzip", "gzip"), ("gzip;q=0", None)):
        answer = ann.get("/article", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == coding
        texts.add(answer.text)
    assert texts == {"<p>An article for all.</p>\n" * 200}


@pytest.mark.parametrize("cache", ["without a cache", "with a cache"])
def test_it_answers_as_nginx_would(front: Front, nginxes: dict[str, Front], cache: str) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    asks = [
        *(Ask(target) for target in ("/", "/article", "/static/script.js", "/versions/script.js", "/stream", "/none")),
        *(Ask(target) for target in ("/api/1", "/api/1?sort=up", "/static", "/static/", "/static/none.js", "/jsonp")),
        Ask("/jsonp?callback=shown"),
        Ask("/static/script.js", "HEAD", allowed=dict.fromkeys(("content-encoding", "content-length"), AS_FOR_GET)),
        Ask("/article", fields={"Accept-Encoding": "identity"}),
        Ask("/article", fields={"Accept-Encoding": "br"}),
        Ask("/login", "POST", form, b"name=ann"),
        Ask("/"),
        Ask("/logout", "POST"),
        Ask("/"),
        Ask("/login", "POST", {"Content-Type": "application/json"}, b"{"),
        Ask("/static/script.js", "POST"),
        Ask("/article", "OPTIONS"),
        Ask("/article", "PUT", content=b"text"),
        Ask("/static/script.js", fields={"If-None-Match": '"other"'}),
        Ask("/static/script.js", fields={"Range": "bytes=0-9", "Accept-Encoding": "identity"}),
        Ask("/static/script.js", fields={"Range": "bytes=-9", "Accept-Encoding": "identity"}),
        Ask("/static/script.js", fields={"Range": "bytes=99999-", "Accept-Encoding": "identity"}, allowed=ERROR_PAGE),
    ]
    check_same_answers(front, nginxes[cache], asks)
