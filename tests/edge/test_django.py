"""A Django site behind the edge: accounts, forms, the admin site, static files, compressed and conditional pages."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.edge.browser import form_token, is_copy, pages_of_two
from tests.edge.comparison import EVERYTHING, Allowed, Ask, check_same_answers
from tests.edge.fronts import Front
from tests.edge.servers import python_application

TOKEN = "csrfmiddlewaretoken"

LATER = {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}
FULL_304 = dict.fromkeys(
    ("cross-origin-opener-policy", "etag", "referrer-policy", "vary", "x-content-type-options"),
    "the fields of the compressed page, which Django's own 304 has not",
)

ALLOWED = Allowed(
    reasons={
        "content-length": "GZipMiddleware adds a random number of bytes against the BREACH attack",
    },
    changing=rf'(?<=name="{TOKEN}" value=")[^"]*',
)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with python_application(tmp_path_factory.mktemp("django"), "django_shop") as url:
        yield url


def send(browser: httpx.Client, target: str, **values: str) -> httpx.Response:
    """Fill in the form of a page and send it, as a browser does."""
    page = browser.get(target)
    origin = f"{browser.base_url.scheme}://{browser.base_url.host}"
    fields = {"Origin": origin, "Referer": f"{origin}{target}"}
    return browser.post(target, data={TOKEN: form_token(page, TOKEN), **values}, headers=fields)


def log_in(browser: httpx.Client, name: str, target: str = "/login/") -> httpx.Response:
    return send(browser, target, username=name, password=f"{name}'s password")


def test_each_person_sees_only_their_own_account(ann: httpx.Client, bob: httpx.Client, front: Front) -> None:
    for name, pages in pages_of_two(ann, bob, log_in, "/account/").items():
        assert pages == {f"This is the account of {name}. " * 20}
    with front.browser() as stranger:
        assert stranger.get("/account/").url == f"{front.url}/login/?next=/account/"


def test_a_personal_page_is_no_copy_of_the_cache(ann: httpx.Client) -> None:
    log_in(ann, "ann")
    assert [is_copy(ann.get("/account/")) for _ in range(3)] == [False] * 3


def test_logging_out_ends_one_session_alone(ann: httpx.Client, bob: httpx.Client, front: Front) -> None:
    log_in(ann, "ann")
    log_in(bob, "bob")
    origin = {"Origin": front.url, "X-CSRFToken": ann.cookies["csrftoken"], "Referer": f"{front.url}/account/"}
    assert ann.post("/logout/", headers=origin).url == f"{front.url}/"
    assert ann.get("/account/").url.path == "/login/"
    assert "account of bob" in bob.get("/account/").text


def test_a_form_is_refused_without_the_token_or_with_that_of_another(ann: httpx.Client, bob: httpx.Client) -> None:
    token = form_token(ann.get("/notes/"), TOKEN)
    bob.get("/notes/")
    referer = {"Referer": f"{bob.base_url}/notes/"}
    assert bob.post("/notes/", data={"text": "a"}, headers=referer).status_code == 403
    assert bob.post("/notes/", data={"text": "a", TOKEN: token}, headers=referer).status_code == 403


def test_a_form_that_was_sent_leads_back_to_the_same_host_and_scheme(
    ann: httpx.Client, bob: httpx.Client, front: Front
) -> None:
    sent = send(ann, "/notes/", text="milk")
    assert [each.headers["Location"] for each in sent.history] == [f"{front.url}/notes/"]
    assert sent.text.startswith("said: kept milk;milk")
    assert ann.get("/notes/").text.startswith("milk<form")  # the message is there once
    assert bob.get("/notes/").text.startswith("<form")


def test_the_scheme_of_the_browser_reaches_the_application(ann: httpx.Client, front: Front) -> None:
    answer = ann.get("/secure/", follow_redirects=False)
    if front.scheme == "https":
        assert answer.text == "This came over https."
    else:
        assert (answer.status_code, answer.headers["Location"]) == (301, "https://shop.test/secure/")


def test_the_admin_site_works(ann: httpx.Client, front: Front) -> None:
    assert "Site administration" in log_in(ann, "ann", "/admin/login/?next=/admin/").text
    added = send(ann, "/admin/auth/group/add/", name=f"group {front.port}")
    assert "was added successfully" in added.text
    assert str(added.url).endswith("/admin/auth/group/")


def test_static_files_are_fetched_once_for_all(ann: httpx.Client, bob: httpx.Client) -> None:
    log_in(ann, "ann")
    ann.get("/static/style.css")
    answers = [browser.get("/static/style.css") for browser in (ann, bob)]
    assert [is_copy(each) for each in answers] == [True, True]
    assert [each.status_code for each in answers] == [203, 203]
    assert not any("Set-Cookie" in each.headers for each in answers)


def test_a_copy_is_compressed_only_for_those_who_accept_it(ann: httpx.Client) -> None:
    texts = set()
    for accepted, coding in (("gzip", "gzip"), ("identity", None), ("br", None), ("gzip", "gzip"), ("gzip;q=0", None)):
        answer = ann.get("/", headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == coding
        texts.add(answer.text)
    assert texts == {"Welcome to the shop. " * 200}


def test_a_browser_with_the_current_page_gets_a_304(ann: httpx.Client) -> None:
    first = ann.get("/")
    again = ann.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


def test_a_streamed_page_arrives_whole(ann: httpx.Client) -> None:
    assert ann.get("/streamed/").text == "".join(f"line {number}\n" for number in range(100))


@pytest.mark.parametrize("cache", ["without a cache", "with a cache"])
def test_it_answers_as_nginx_would(front: Front, nginxes: dict[str, Front], cache: str) -> None:
    asks = [
        *(Ask(target) for target in ("/", "/account/", "/login/", "/static/style.css", "/streamed/")),
        Ask("/notes/", allowed={"etag": "it is for the page with the token, which is random"}),
        *(Ask(target) for target in ("/secure/", "/no-such-page/", "/static/none.css", "/account", "/admin/")),
        *(Ask(target, "HEAD") for target in ("/static/style.css", "/account/")),
        Ask(
            "/",
            "HEAD",
            allowed={"etag": "Django sends one to GET alone; this is the copy of a GET"},
        ),
        Ask("/", fields={"Accept-Encoding": "identity"}),
        Ask("/notes/", "POST", content=b"text=a"),
        Ask("/static/style.css", "POST", content=b"text=a"),
        Ask("/account/", "OPTIONS"),
        Ask("/account/", "PUT", content=b"text"),
        Ask("/account/", "DELETE"),
        Ask("/static/style.css", fields=LATER, allowed={EVERYTHING: "nginx wants the exact date, and answers 200"}),
        Ask("/", fields={"If-None-Match": '"other"'}),
        Ask("/", fields={"If-None-Match": "*"}, allowed=FULL_304),
    ]
    check_same_answers(front, nginxes[cache], asks, ALLOWED)
