"""Clients that purge over HTTP, and clients that may not: over HTTP/1 and HTTP/2, in front of a raw origin."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.addon.frontend.edge import ask, run_edge
from tests.addon.frontend.front_end import FrontEndUnderTest
from tests.addon.frontend.http2.http2_client import Http2Client
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin

HOST = "a.example"
TOKEN = "0123456789abcdef" * 2


async def tagging(peer: Peer) -> None:
    """Answer every request with a response that has the path as its tag."""
    while True:
        path = (await peer.request()).split(b" ")[1]
        fields = b'Cache-Control: max-age=60\r\nSurrogate-Key: all %b\r\nCache-Groups: "g"\r\n' % path
        await peer.send(HEAD + fields + b"Content-Length: 2\r\n\r\nok")


def sites(urls: list[str]) -> list[dict[str, Any]]:
    rules = [{"path": "/locked", "basic_auth": {"required": False}, "methods": ["GET"]}]
    return [{"hosts": [HOST], "origins": urls, "rules": rules}]


@pytest.fixture
def purge(tmp_path: Path) -> dict[str, Any]:
    """Return the table `[purge]` of an edge whose token is in a file."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    return {"token_file": str(tmp_path / "token"), "log": str(tmp_path / "purges.log")}


def logged(purge: dict[str, Any]) -> list[dict[str, Any]]:
    log = Path(purge["log"])
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


WITH_TOKEN = [f"Authorization: Bearer {TOKEN}", f"authorization: bearer {TOKEN}", f"Fastly-Key: {TOKEN}"]


@pytest.mark.parametrize("line", [*WITH_TOKEN, f"X-Purge-Token: {TOKEN}"])
def test_a_client_with_the_token_purges(purge: dict[str, Any], line: str) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        for path in ("/1", "/2"):
            await client.fetch(ask(HOST, path))
            assert (await client.fetch(ask(HOST, path))).status == 203
        response = await client.fetch(ask(HOST, "/", line, "xkey: /1", method="PURGE"))
        assert (response.status, json.loads(response.body)["copies"]) == (200, 1)
        assert response.fields.get("cache-control") == "no-store"
        assert [(await client.fetch(ask(HOST, path))).status for path in ("/1", "/2")] == [200, 203]
        assert len(origins[0].requests) == 3

    run_edge(conversation, sites, tagging, purge=purge)
    [line_of_log] = logged(purge)
    assert line_of_log["by"] == "127.0.0.1 with the token"
    assert (line_of_log["what"], line_of_log["copies"]) == ("PURGE http://a.example/ xkey: /1", 1)
    assert TOKEN not in Path(purge["log"]).read_text()


@pytest.mark.row("SEC-16")
@pytest.mark.parametrize("method", ["PURGE", "BAN", "PURGEKEYS", "POST"])
@pytest.mark.parametrize(
    "line", ["X-Other: 1", "Authorization: Bearer ", "Authorization: Bearer wrong", f"Authorization: Basic {TOKEN}"]
)
def test_any_other_client_is_refused_and_its_request_goes_nowhere(
    purge: dict[str, Any], method: str, line: str
) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        await client.fetch(ask(HOST, "/1"))
        lines = [line, "xkey: all", *(["Fastly-Key: wrong", "Content-Length: 0"] if method == "POST" else [])]
        response = await client.fetch(ask(HOST, "/service/x/purge_all", *lines, method=method))
        assert (response.status, response.body.endswith(b"reason: purge\n")) == (403, True)
        assert (await client.fetch(ask(HOST, "/1"))).status == 203
        assert len(origins[0].requests) == 1

    run_edge(conversation, sites, tagging, purge=purge)
    assert not logged(purge)


def test_an_allowed_network_needs_no_token_and_an_empty_token_lets_nobody_in(purge: dict[str, Any]) -> None:
    Path(purge["token_file"]).write_text("")

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        await client.fetch(ask(HOST, "/1"))
        status = (await client.fetch(ask(HOST, "/1", "Authorization: Bearer ", method="PURGE"))).status
        assert status == (200 if "allow" in purge else 403)

    run_edge(conversation, sites, tagging, purge=purge)
    purge["allow"] = ["127.0.0.0/8"]
    run_edge(conversation, sites, tagging, purge=purge)
    assert [line["by"] for line in logged(purge)] == ["127.0.0.1"]


def test_a_pipe_in_place_of_the_token_does_not_stop_the_edge(purge: dict[str, Any]) -> None:
    Path(purge["token_file"]).unlink()
    os.mkfifo(purge["token_file"])

    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        client = await edge.client()
        response = await client.fetch(ask(HOST, "/1", f"Authorization: Bearer {TOKEN}", method="PURGE"))
        assert response.status == 403

    run_edge(conversation, sites, tagging, purge=purge)


def test_a_client_says_nothing_about_its_own_address(purge: dict[str, Any]) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        lines = ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "X-Real-IP: 192.0.2.1"]
        assert (await client.fetch(ask(HOST, "/", *lines, method="PURGE"))).status == 403

    run_edge(conversation, sites, tagging, purge=purge | {"allow": ["192.0.2.1"]})


@pytest.mark.row("SEC-16")
@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("X-Other: 1", 403),
        ("X-Forwarded-For: unknown", 403),
        ("X-Forwarded-For: 192.0.2.1, unknown", 403),
        ("X-Forwarded-For: 127.0.0.2", 403),
        ("X-Forwarded-For: 192.0.2.1, 127.0.0.2", 200),
        ("X-Forwarded-For: 192.0.2.1", 200),
        (f"X-Purge-Token: {TOKEN}", 200),
    ],
)
def test_a_trusted_proxy_that_tells_no_client_needs_the_token(purge: dict[str, Any], line: str, status: int) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert (await client.fetch(ask(HOST, "/", line, method="PURGE"))).status == status

    allowed = purge | {"allow": ["127.0.0.0/8", "192.0.2.0/24"]}
    run_edge(conversation, sites, tagging, purge=allowed, trusted_proxies=["127.0.0.0/8"])


def test_rules_of_the_site_and_unknown_hosts_do_not_keep_a_purge_out(purge: dict[str, Any]) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        await client.fetch(ask(HOST, "/locked"))
        assert (await client.fetch(ask(HOST, "/locked", method="PURGE"))).status == 200
        assert (await client.fetch(ask(HOST, "/locked"))).status == 200
        assert (await client.fetch(ask("varnish:6081", "/", "xkey: all", method="PURGE"))).status == 200
        assert (await client.fetch(ask(HOST, "/locked"))).status == 200

    run_edge(conversation, sites, tagging, purge=purge | {"allow": ["127.0.0.1"]})


def test_a_soft_purge_sends_the_copy_once_more_while_it_is_fetched(purge: dict[str, Any]) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        await client.fetch(ask(HOST, "/1"))
        await client.fetch(ask(HOST, "/", "xkey-softpurge: all", method="PURGEKEYS"))
        stale = await client.fetch(ask(HOST, "/1"))
        assert stale.status == 203
        assert "detail=soft-purged" in (stale.fields.get("cache-status") or "")
        await edge.service.active.current.responder.close()  # waits for the work in the background
        assert len(origins[0].requests) == 2

    run_edge(conversation, sites, tagging, purge=purge | {"allow": ["127.0.0.1"]})


def test_a_pattern_that_cannot_be_used_is_answered_with_what_is_wrong(purge: dict[str, Any]) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        response = await client.fetch(ask(HOST, "/", "X-Url: (a+)+$", method="BAN"))
        assert response.status == 400
        assert b"This purge is not understood" in response.body
        assert (await client.fetch(ask(HOST, "/1"))).status == 200

    run_edge(conversation, sites, tagging, purge=purge | {"allow": ["127.0.0.1"]})


def test_a_client_of_http2_purges_too(purge: dict[str, Any]) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = Http2Client(await edge.client(), HOST, "http")
        client.greet()
        for status in (200, 203):
            assert (await client.fetch("/1")).status == status
        assert (await client.fetch("/1", method="PURGE")).status == 200
        assert (await client.fetch("/1")).status == 200
        assert len(origins[0].requests) == 2

    run_edge(conversation, sites, tagging, purge=purge | {"allow": ["127.0.0.1"]})


def test_clients_do_not_get_the_tags_but_the_groups(purge: dict[str, Any]) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        for _ in range(2):
            fields = (await client.fetch(ask(HOST, "/1"))).fields
            assert ("surrogate-key" in fields, fields.get("cache-groups")) == (False, '"g"')

    run_edge(conversation, sites, tagging, purge=purge)
