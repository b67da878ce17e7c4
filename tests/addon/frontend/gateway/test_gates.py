"""Requests that rules refuse: on both protocols, before the cache and the origin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from addon.frontend.gateway import passwords
from tests.addon.frontend.edge import ask, run_edge
from tests.addon.frontend.front_end import Client, FrontEndUnderTest
from tests.addon.frontend.gateway.test_passwords import basic, users_file
from tests.addon.frontend.http2.http2_client import Http2Client
from tests.addon.frontend.http2.tunnel_streams import echo, head_on, switching
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin

HOST = "a.example"
WAITING = {"requests": {"rate": "1/h", "burst": 1}}


async def answering(peer: Peer) -> None:
    """Answer every request; the answers may be stored."""
    while True:
        head = await peer.request()
        body = b"from the origin" if not head.startswith(b"HEAD") else b""
        await peer.send(HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 15\r\n\r\n" + body)


def one_site(*rules: dict[str, Any]) -> Callable[[list[str]], list[dict[str, Any]]]:
    return lambda urls: [{"hosts": [HOST], "origins": urls, "rules": list(rules)}]


def run(conversation: Any, *rules: dict[str, Any]) -> None:
    run_edge(conversation, one_site(*rules), answering)


async def over_http2(edge: FrontEndUnderTest) -> Http2Client:
    client = Http2Client(await edge.client(), HOST, "http")
    client.greet()
    return client


@pytest.mark.parametrize(
    ("rule", "data", "status", "reason", "field"),
    [
        (
            {"methods": ["GET", "HEAD"]},
            ask(HOST, method="DELETE"),
            *(405, "method-not-allowed", ("allow", "GET, HEAD")),
        ),
        (
            {"path": "/old/*", "redirect": {"to": "https://{host}/new{target}", "status": 301}},
            ask(HOST, "/old/a?b"),
            *(301, "redirect", ("location", "https://a.example/new/old/a?b")),
        ),
        ({"max_body": "1 B"}, ask(HOST, "/", "Content-Length: 2", method="POST"), 413, "content-too-large", None),
        (
            {"max_body": "1 B"},
            ask(HOST, "/", "Transfer-Encoding: chunked", method="POST"),
            *(411, "content-too-large", None),
        ),
    ],
)
def test_a_refused_request_reaches_neither_store_nor_origin(
    rule: dict[str, Any], data: bytes, status: int, reason: str, field: tuple[str, str] | None
) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        response = await (await edge.client()).fetch(data)
        assert response.status == status
        assert f"reason: {reason}\n".encode() in response.body
        assert field is None or response.fields.get(field[0]) == field[1]
        assert edge.service.counters.snapshot()[f"refused.{reason}"] == 1
        assert (origins[0].connections, edge.entries()) == (0, ())

    run(conversation, rule)


def test_the_connection_stays_after_a_refused_request_without_content() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        statuses = [
            (await client.fetch(ask(HOST, path, method=m))).status
            for path, m in [("/", "GET"), ("/", "DELETE"), ("/", "GET"), ("/", "PUT"), ("/", "GET")]
        ]
        assert statuses == [200, 405, 203, 405, 203]

    run(conversation, {"methods": ["GET"]})


def test_a_redirect_to_a_head_request_has_no_content() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert (await client.fetch(ask(HOST, method="HEAD"))).status == 308
        assert (await client.fetch(ask(HOST))).status == 308

    run(conversation, {"redirect": {"to": "https://{host}{target}"}})


@pytest.mark.parametrize(
    "path", ["/admin/x", "/%61dmin/x", "//admin/x", "/public/../admin/x", "/public/%2e%2e/admin/x"]
)
def test_no_spelling_of_a_path_gets_past_a_rule(path: str) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        assert (await (await edge.client()).fetch(ask(HOST, path))).status == 405

    run(conversation, {"path": "/admin/*", "methods": ["POST"]})


@pytest.mark.parametrize(
    "path",
    [
        "/admin/../x",
        "/admin/%2e%2e/x",
        "/admin/..%2fx",
        "/admin//../../x",
        "/a/../admin/%2e%2E%2fx",
        "/admin;a=b/x",
        "/admin\\x",
        "/admin/./../x",
    ],
)
def test_a_path_that_some_origins_read_as_a_refused_one_is_refused(path: str) -> None:
    """Most frameworks do not resolve `..`, and have the view of `/admin/*` answer such a path."""

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert [(await client.fetch(ask(HOST, each))).status for each in ("/x", path, "/x")] == [200, 405, 203]

    run(conversation, {"path": "/admin/*", "methods": ["POST"]})


def test_a_rate_limits_hits_as_well_as_misses() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert (await client.fetch(ask(HOST, "/free"))).status == 200
        responses = [await client.fetch(ask(HOST, "/a")) for _ in range(4)]
        assert [response.status for response in responses] == [200, 203, 429, 429]
        assert responses[-1].fields.get("retry-after") == "3600"
        assert b"reason: rate\n" in responses[-1].body
        assert (await (await edge.client()).fetch(ask(HOST, "/b"))).status == 429
        assert (await client.fetch(ask(HOST, "/free"))).status == 203

    run(conversation, {"path": ["/a", "/b"], "limits": WAITING})


def test_a_rate_counts_hot_responses() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        statuses = [(await client.fetch(ask(HOST, "/a"))).status for _ in range(8)]
        assert statuses == [200, 203, 203, 203, 203, 203, 429, 429]

    run(conversation, {"limits": {"requests": {"rate": "1/h", "burst": 5}}})


def test_a_request_whose_path_can_be_read_in_several_ways_is_counted_once() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        paths = ("/a;b/../c", "/a/%2e%2e/admin/x", "/a", "/a")
        assert [(await client.fetch(ask(HOST, path))).status for path in paths] == [200, 200, 200, 429]

    limits = {"requests": {"rate": "1/h", "burst": 2}}
    run(
        conversation,
        {"path": "/admin/*", "query": {"sort": True}},
        {"path": "/a/*", "bypass": True},
        {"limits": limits},
    )


def test_a_request_that_one_rate_refuses_is_not_counted_by_another() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        paths = ("/a/../b", "/a/../b", "/a/../b", "/b", "/b")
        assert [(await client.fetch(ask(HOST, path))).status for path in paths] == [200, 429, 429, 200, 429]

    narrow, wide = {"requests": {"rate": "1/h"}}, {"requests": {"rate": "2/h", "burst": 1}}
    run(conversation, {"path": "/a/*", "limits": narrow}, {"limits": wide})


def test_a_rate_over_http2() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await over_http2(edge)
        statuses = [(await client.fetch("/a")).status for _ in range(8)]
        assert statuses == [200, 203, 203, 203, 203, 203, 429, 429]
        assert (await client.fetch("/a")).heads[0]["retry-after"] == "3600"

    run(conversation, {"limits": {"requests": {"rate": "1/h", "burst": 5}}})


def test_many_refused_requests_do_not_end_a_connection_over_http2() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await over_http2(edge)
        assert {(await client.fetch("/a")).status for _ in range(300)} == {308}

    run(conversation, {"redirect": {"to": "https://{host}{target}"}})


async def _with_password(client: Client, password: str, path: str = "/") -> int:
    return (await client.fetch(ask(HOST, path, f"Authorization: {basic(f'ada:{password}')}"))).status


def test_a_password_is_asked_for_each_hit_and_not_forwarded(tmp_path: Path) -> None:
    file = users_file(tmp_path, ada="secret")

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        refused = await client.fetch(ask(HOST))
        assert (refused.status, origins[0].connections) == (401, 0)
        assert refused.fields.get("www-authenticate") == 'Basic realm="Preview", charset="UTF-8"'
        assert b"reason: credentials\n" in refused.body
        statuses = [await _with_password(client, word) for word in ("wrong", "secret", "secret", "wrong", "secret")]
        assert statuses == [401, 200, 203, 401, 203]
        assert (await client.fetch(ask(HOST))).status == 401
        assert b"uthorization" not in origins[0].requests[0]
        assert (await client.fetch(ask(HOST, "/.well-known/a"))).status == 200

    off: dict[str, Any] = {"path": "/.well-known/*", "basic_auth": {"required": False}}
    run(conversation, off, {"basic_auth": {"users_file": file, "realm": "Preview"}})


def test_a_password_over_http2(tmp_path: Path) -> None:
    file = users_file(tmp_path, ada="secret")

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await over_http2(edge)
        words = (None, "wrong", "secret", "secret", "wrong", None)
        statuses = [
            (await client.fetch("/", *([("authorization", basic(f"ada:{word}"))] if word else []))).status
            for word in words
        ]
        assert statuses == [401, 401, 200, 203, 401, 401]

    run(conversation, {"basic_auth": {"users_file": file}})


def test_a_request_whose_password_has_to_be_checked_first_is_counted_once(tmp_path: Path) -> None:
    file = users_file(tmp_path, ada="secret")

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert [await _with_password(client, word) for word in ("secret", "wrong", "secret")] == [200, 401, 429]

    run(conversation, {"basic_auth": {"users_file": file}, "limits": WAITING})


def test_a_right_password_that_cannot_be_checked_now_is_not_called_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = users_file(tmp_path, ada="secret")
    monkeypatch.setattr(passwords, "MAX_WAITING", 0)

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        refused = await (await edge.client()).fetch(ask(HOST, "/", f"Authorization: {basic('ada:secret')}"))
        assert (refused.status, refused.fields.get("retry-after")) == (503, str(passwords.RETRY_AFTER))
        assert b"reason: passwords\n" in refused.body
        over_2 = await (await over_http2(edge)).fetch("/", ("authorization", basic("ada:secret")))
        assert (over_2.status, over_2.heads[0]["retry-after"]) == (503, str(passwords.RETRY_AFTER))

    run(conversation, {"basic_auth": {"users_file": file}})


def test_a_request_to_which_two_rules_apply_needs_both_passwords(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        files.append(users_file(tmp_path / name, ada=f"secret {name}", eve="both"))

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert await _with_password(client, "secret a", "/admin/../x") == 401
        assert await _with_password(client, "secret b", "/admin/../x") == 401
        both = f"Authorization: {basic('eve:both')}"
        assert (await client.fetch(ask(HOST, "/admin/../x", both))).status == 200

    first, second = ({"basic_auth": {"users_file": file}} for file in files)
    run(conversation, {"path": "/admin/*", **first}, second)


def test_content_after_a_password_that_is_being_checked_reaches_the_origin(tmp_path: Path) -> None:
    file = users_file(tmp_path, ada="secret")

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        lines = f"Authorization: {basic('ada:secret')}", "Content-Length: 2"
        assert (await client.fetch(ask(HOST, "/", *lines, method="POST") + b"ab")).status == 200
        assert origins[0].requests[0].startswith(b"POST / ")

    run(conversation, {"basic_auth": {"users_file": file}})


def test_a_url_is_not_redirected_to_itself() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert (await client.fetch(ask(HOST, "/a?b"))).status == 200
        assert (await client.fetch(ask("a.example.", "/%7e?b"))).status == 200

    run(conversation, {"redirect": {"to": "http://{host}{target}"}})


def test_all_other_urls_are_redirected_to_the_url_that_is_not() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        paths = ("/landing", "/a", "/landing", "/landing?b", "/a")
        assert [(await client.fetch(ask(HOST, path))).status for path in paths] == [200, 308, 203, 308, 308]
        assert len(origins[0].requests) == 1

    run(conversation, {"redirect": {"to": f"http://{HOST}/landing"}})


def test_a_user_who_is_removed_from_the_file_gets_nothing_more_after_a_reload(tmp_path: Path) -> None:
    file = users_file(tmp_path, ada="secret")

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert [await _with_password(client, "secret") for _ in range(3)] == [200, 203, 203]
        users_file(tmp_path, bob="other")
        assert await _with_password(client, "secret") == 203
        edge.service.reload(edge.settings)
        edge.listener.handler.use_sites(edge.settings.sites)
        assert await _with_password(client, "secret") == 401

    run(conversation, {"basic_auth": {"users_file": file}})


def test_a_password_for_a_web_socket_over_http2_is_checked(tmp_path: Path) -> None:
    file = users_file(tmp_path, ada="secret")

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await over_http2(edge)
        statuses = []
        for word in ("wrong", "secret"):
            lines = client.head("/", ("authorization", basic(f"ada:{word}")), method="CONNECT")
            stream = client.send_head([(":protocol", "websocket"), *lines], end_stream=False)
            statuses.append((await head_on(client, stream))[":status"])
        assert statuses == ["401", "200"]

    run_edge(conversation, one_site({"basic_auth": {"users_file": file}, "methods": ["GET"]}), switching(echo))
