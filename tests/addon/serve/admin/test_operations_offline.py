"""Recordings are compared, missing URLs fetched, and lock files checked, with one process and with several."""

from __future__ import annotations

import pytest

from addon.warm.check_command import MAX_CONTENT
from tests.fixtures.admin_client import AdminClient, store, visit
from tests.fixtures.proxy_process import Proxy
from tests.fixtures.static_pages import serve_page
from tests.fixtures.web_origin import Origin


def record(api: AdminClient, running: Proxy, name: str, url: str) -> None:
    api.send("PUT", "/recordings", {"doing": "record", "name": name})
    visit(running, url)
    api.send("PUT", "/recordings", {"doing": "record"})


def test_recordings_are_compared_with_each_other_and_with_the_origin(
    running: Proxy, api: AdminClient, origin: Origin
) -> None:
    url = serve_page(origin, "/page", b"one\ntwo\n", {"Cache-Control": "no-store", "X-Id": "1"})
    record(api, running, "before", url)
    assert api.send("POST", "/diff", {"first": "before", "ignore": ["server"]}).json == {
        "urls": 1,
        "changed": [],
        "not_compared": [],
        "next": None,
    }
    serve_page(origin, "/page", b"one\nthree\n", {"Cache-Control": "no-store", "X-Id": "2"})
    now = api.send("POST", "/diff", {"first": "before"}).json
    record(api, running, "after", url)
    compared = api.send("POST", "/diff", {"first": "before", "second": "after"}).json
    assert now == compared
    (changed,) = compared["changed"]
    assert [each["part"] for each in changed["differences"]] == ["x-id", "content"]
    assert [(line["first"], line["second"]) for line in changed["content"]["lines"]] == [
        ("one", "one"),
        ("two", "three"),
    ]
    ignoring = api.send("POST", "/diff", {"first": "before", "second": "after", "ignore": ["X-ID"]}).json
    assert [each["part"] for each in ignoring["changed"][0]["differences"]] == ["content"]
    assert api.send("POST", "/diff", {"first": "before", "second": "after", "after": url}).json["urls"] == 0


WRONG_ARGUMENTS = (
    ({}, 422, "first: Field required"),
    ({"first": "../up"}, 422, "first: expected a name of letters"),
    ({"first": "a", "second": ""}, 422, "second: String should have at least 1 character"),
    ({"first": "a", "ignore": ["X Id"]}, 422, "ignore.0: expected the name of a field"),
    ({"first": "a", "after": None}, 422, "after: Input should be a valid string"),
    ({"first": "none", "second": "none"}, 409, "there is no recording none"),
)


@pytest.mark.parametrize(("arguments", "status", "said"), WRONG_ARGUMENTS)
def test_what_is_wrong_with_an_argument_is_said(
    arguments: dict[str, object], status: int, said: str, api: AdminClient
) -> None:
    refused = api.send("POST", "/diff", arguments)
    assert refused.status == status
    assert said in refused.json["detail"]


def test_a_comparison_cannot_be_asked_for_with_get(api: AdminClient) -> None:
    assert api.get("/diff?first=before").status == 405


def test_what_is_missing_is_fetched_now(running: Proxy, api: AdminClient, origin: Origin) -> None:
    url, secret = serve_page(origin, "/wanted"), serve_page(origin, "/secret", fields={"Cache-Control": "no-store"})
    api.send("PUT", "/modes", {"mode": "offline"})
    for each in (url, secret):
        assert visit(running, each) == 504
    assert "the proxy is offline" in api.send("POST", "/fetch", {"url": url}).json["detail"]
    api.send("PUT", "/modes", {"mode": "auto", "host": "localhost"})
    api.send("PUT", "/modes", {"mode": "auto"})
    assert api.get("/missing").json["urls"] == [url, secret]
    assert api.send("POST", "/fetch", {"url": url}).json["problem"] is None
    refused = api.send("POST", "/fetch", {"url": secret}).json
    assert (refused["problem"], refused["status"]) == ("not kept: the origin says no-store", 200)
    assert api.get("/missing").json["urls"] == [secret]
    assert api.send("POST", "/fetch", {"url": "nothing"}).status == 422
    assert api.get(f"/fetch?url={url}").status == 405


def test_a_lock_file_is_looked_for_in_the_store(running: Proxy, api: AdminClient, origin: Origin) -> None:
    stored, missing = serve_page(origin, "/stored.tgz"), serve_page(origin, "/missing.tgz")
    store(running, stored)
    text = "".join(f'p{url[-12:]}@^1:\n  version "1.0.0"\n  resolved "{url}"\n\n' for url in (stored, missing))
    found = api.send("POST", "/lock-file", {"name": "yarn.lock", "content": text}).json
    assert (found["stored"], found["missing"], found["is_readable"]) == (1, 1, True)
    assert found["first_missing"] == [{"name": missing, "why": "not stored"}]
    assert [each.target for each in origin.requests if each.target == "/missing.tgz"] == []


def test_a_large_lock_file_is_read_and_a_larger_one_refused(api: AdminClient) -> None:
    largest = "#" + "\n" * (MAX_CONTENT - 1)  # as JSON twice as long
    assert api.send("POST", "/lock-file", {"name": "yarn.lock", "content": largest}).json["stored"] == 0
    larger = api.send("POST", "/lock-file", {"name": "yarn.lock", "content": largest + "#"})
    assert (larger.status, larger.json["detail"]) == (422, "content: expected at most 16777216 bytes")
    assert api.send("POST", "/lock-file", {"name": "yarn.lock", "content": largest * 2}).status == 413
    assert api.send("POST", "/diff", {"first": "a", "after": largest}).status == 413


@pytest.mark.parametrize("name", ["notes.txt", "../yarn.lock", "a/yarn.lock", "requirements\0.txt"])
def test_a_file_that_is_no_lock_file_is_refused(name: str, api: AdminClient) -> None:
    refused = api.send("POST", "/lock-file", {"name": name, "content": ""})
    assert refused.status == 422
    assert "name: expected the name of a lock file: *requirements*.txt" in refused.json["detail"]
