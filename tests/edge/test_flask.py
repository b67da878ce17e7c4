"""A Flask site behind the edge: sessions in signed cookies, messages that are shown once, tokens, languages."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.edge.browser import is_copy, pages_of_two
from tests.edge.comparison import EVERYTHING, Allowed, Ask, check_same_answers
from tests.edge.fronts import Front
from tests.edge.servers import APPLICATIONS, server
from tests.fixtures.free_port import free_port
from tests.fixtures.proxy_process import COMMANDS


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("flask"), free_port()
    options = ("--threads", "4", "--chdir", APPLICATIONS, "--bind", f"127.0.0.1:{port}", "--worker-tmp-dir", folder)
    with server(folder, port, COMMANDS / "gunicorn", *options, "flask_notes:app"):
        yield f"http://127.0.0.1:{port}"


def log_in(browser: httpx.Client, name: str) -> httpx.Response:
    return browser.post("/login", data={"name": name})


def test_each_person_sees_only_their_own_page(ann: httpx.Client, bob: httpx.Client, front: Front) -> None:
    for name, pages in pages_of_two(ann, bob, log_in, "/").items():
        assert pages == {f" This is the page of {name}."}
    with front.browser() as stranger:
        assert stranger.get("/").text == "Nobody is logged in."


def test_a_login_leads_back_to_the_same_host_and_scheme(ann: httpx.Client, front: Front) -> None:
    landed = log_in(ann, "ann")
    assert [(each.status_code, each.headers["Location"]) for each in landed.history] == [(303, f"{front.url}/")]
    assert landed.text == "Welcome, ann! This is the page of ann."
    assert ann.get("/").text == " This is the page of ann."  # the message is shown once


def test_logging_out_ends_one_session_alone(ann: httpx.Client, bob: httpx.Client) -> None:
    log_in(ann, "ann")
    log_in(bob, "bob")
    assert ann.post("/logout").text == "Nobody is logged in."
    assert ann.get("/").text == "Nobody is logged in."
    assert bob.get("/").text == " This is the page of bob."


def test_a_public_page_is_a_copy_without_the_cookie_of_the_first_visitor(ann: httpx.Client, bob: httpx.Client) -> None:
    ann.get("/news")
    copy = bob.get("/news")
    assert is_copy(copy)
    assert copy.text == "The same news for all."
    assert "Set-Cookie" not in copy.headers


def test_what_a_token_opens_is_closed_to_others(ann: httpx.Client, bob: httpx.Client) -> None:
    for _ in range(2):
        answer = ann.get("/private-api", headers={"Authorization": "Bearer ann"})
        assert (answer.json(), is_copy(answer)) == ({"token": "ann"}, False)
        assert bob.get("/private-api").status_code == 401
        assert bob.get("/private-api", headers={"Authorization": "Bearer bob"}).json() == {"token": "bob"}


def test_each_language_has_its_copy(ann: httpx.Client, bob: httpx.Client) -> None:
    greetings = {"de": "Guten Tag", "en": "Good morning", "de, en;q=0.5": "Guten Tag"}
    for language, greeting in greetings.items():
        answers = [browser.get("/preferred", headers={"Accept-Language": language}) for browser in (ann, bob)]
        assert [each.text for each in answers] == [greeting] * 2
        assert is_copy(answers[1])


@pytest.mark.parametrize("cache", ["without a cache", "with a cache"])
def test_it_answers_as_nginx_would(front: Front, nginxes: dict[str, Front], cache: str) -> None:
    token = {"Authorization": "Bearer ann"}
    asks = [
        *(Ask(target) for target in ("/", "/preferred", "/no-such-page", "/login", "/logout")),
        Ask("/login", "POST", {"Content-Type": "application/x-www-form-urlencoded"}, b"name=ann"),
        Ask("/"),
        Ask("/", "HEAD"),
        Ask("/logout", "POST"),
        Ask("/private-api", fields=token),
        Ask("/private-api", allowed={EVERYTHING: "nginx with a cache gives everybody what the token had opened"}),
        Ask("/preferred", fields={"Accept-Language": "de"}),
        Ask("/login", "OPTIONS"),
        Ask("/news", "PUT", content=b"text"),
    ]
    check_same_answers(front, nginxes[cache], asks)


@pytest.mark.parametrize("cache", ["without a cache", "with a cache"])
def test_it_answers_as_nginx_would_for_a_public_page_with_a_cookie(
    front: Front, nginxes: dict[str, Front], cache: str
) -> None:
    allowed = Allowed({"set-cookie": "nginx does not store it, or passes it on; a copy here has no cookie"})
    asks = [Ask("/news"), Ask("/news", "HEAD"), Ask("/news", fields={"If-None-Match": '"other"'})]
    check_same_answers(front, nginxes[cache], asks, allowed)
