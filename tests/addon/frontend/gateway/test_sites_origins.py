"""An edge in front of several origins: hits, misses without a task, uploads, WebSockets, checks and reloads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from addon.config.settings import Settings
from addon.frontend.http1.direct_fetch import DirectFetch
from tests.addon.frontend.edge import ask, run_edge
from tests.addon.frontend.front_end import FrontEndUnderTest, request_head
from tests.addon.origin.backends.several_origins import naming
from tests.fixtures.raw_origin import HEAD, OK, Peer, RawOrigin
from tests.fixtures.until import until

HOST = "a.example"


def one_site(**keys: Any) -> Any:
    """Return what makes one site of all origins."""
    return lambda urls: [{"hosts": [HOST], "origins": urls, **keys}]


def with_prefixes(urls: list[str]) -> list[dict[str, Any]]:
    return [{"hosts": [HOST], "origins": [f"{url}/p{number}" for number, url in enumerate(urls)]}]


async def fresh(peer: Peer) -> None:
    """Answer every request with a response that may be stored."""
    while True:
        await peer.request()
        await peer.send(HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok")


async def validated(peer: Peer) -> None:
    """Answer with a response that is validated before each use."""
    while True:
        head = await peer.request()
        first = b"HTTP/1.1 304 Not Modified\r\n" if b"If-None-Match" in head else HEAD + b"Content-Length: 2\r\n"
        fields = b'Cache-Control: no-cache\r\nETag: "a"\r\nDate: Mon, 30 Nov 2026 06:00:00 GMT\r\n\r\n'
        await peer.send(first + fields + (b"ok" if b"If-None-Match" not in head else b""))


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Collect the targets of all requests that are sent without a task."""
    sent: list[bytes] = []
    send = DirectFetch.send

    def noted(self: DirectFetch) -> None:
        sent.append(self.request.target.encode())
        send(self)

    monkeypatch.setattr(DirectFetch, "send", noted)
    return sent


def test_misses_without_a_task_are_shared_among_the_origins_with_their_prefixes(direct: list[bytes]) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        for number in range(12):
            assert (await client.fetch(ask(HOST, f"/{number}"))).status == 200
        assert len(direct) >= 8
        for number, origin in enumerate(origins):
            assert len(origin.requests) == 4
            assert all(head.startswith(b"GET /p%d/" % number) for head in origin.requests)
        assert all(f"http://{HOST}/{number}" in {entry.key for entry in edge.entries()} for number in range(12))
        assert (await client.fetch(ask(HOST, "/3"))).status == 203

    run_edge(conversation, with_prefixes, fresh, fresh, fresh)


def test_validations_are_shared_among_the_origins(direct: list[bytes]) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        statuses = [(await client.fetch(ask(HOST, "/a"))).status for _ in range(9)]
        assert statuses[0] == 200
        assert {*statuses[1:]} <= {200, 203}
        assert [len(origin.requests) > 2 for origin in origins] == [True, True]
        assert all(head.startswith(b"GET /p%d/a " % number) for number in (0, 1) for head in origins[number].requests)
        assert direct

    run_edge(conversation, with_prefixes, validated, validated)


def test_by_hash_a_url_goes_to_one_origin() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        bodies = [(await client.fetch(ask(HOST, f"/{number % 20}"))).body for number in range(60)]
        assert bodies[:20] == bodies[20:40] == bodies[40:]
        assert {*bodies} == {b"a", b"b"}

    run_edge(conversation, one_site(balance="hash"), naming(b"a"), naming(b"b"))


def test_an_origin_that_ends_is_not_noticed_by_clients() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        clients = [await edge.client() for _ in range(4)]
        for number in range(40):
            responses = await asyncio.gather(*(client.fetch(ask(HOST, f"/{number}")) for client in clients))
            assert {response.status for response in responses} == {200}
            if number == 10:
                await origins[0].__aexit__()
        [site] = edge.service.origins.sites
        assert [origin.health.is_up for origin in site.origins] == [False, True]
        assert edge.service.reachability.unreachable == frozenset()

    run_edge(conversation, one_site(), naming(b"a"), naming(b"b"))


def test_uploads_and_web_sockets_go_to_an_origin_that_is_up() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        await origins[0].__aexit__()
        for _ in range(3):
            client = await edge.client()
            post = request_head("POST / HTTP/1.1", f"Host: {HOST}", "Content-Length: 2") + b"ab"
            assert (await client.fetch(post)).status == 200
            client = await edge.client()
            upgrade = request_head(
                *("GET / HTTP/1.1", f"Host: {HOST}", "Connection: Upgrade", "Upgrade: websocket"),
                *("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
            )
            assert (await client.fetch(upgrade)).status == 200  # this origin does not switch
        assert any(b"Upgrade: websocket" in head for head in origins[1].requests)

    async def reading(peer: Peer) -> None:
        head = await peer.request()
        if head.startswith(b"POST"):
            await peer.read(2)
        await peer.send(OK)
        await peer.client_closed()

    run_edge(conversation, one_site(), reading, reading)


def test_if_all_origins_are_down_a_stale_copy_answers_and_other_requests_get_502() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert (await client.fetch(ask(HOST, "/a"))).status == 200
        for origin in origins:
            await origin.__aexit__()
        edge.clock.advance(120)
        stale = await client.fetch(ask(HOST, "/a"))
        assert stale.status == 203
        assert "detail=disconnected" in (stale.fields.get("cache-status") or "")
        assert (await client.fetch(ask(HOST, "/b"))).status == 502

    run_edge(conversation, one_site(), fresh, fresh)


def test_checks_take_all_origins_down_and_bring_them_up() -> None:
    healthy = [True]

    async def checked(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(OK if healthy[0] else b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")

    def states(edge: FrontEndUnderTest) -> set[object]:
        [site] = edge.service.origins.described()
        return {origin["state"] for origin in site["origins"]}

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert (await client.fetch(ask(HOST, "/a"))).status == 200
        healthy[0] = False
        await until(lambda: states(edge) == {"down"})
        refused = await client.fetch(ask(HOST, "/b"))
        assert refused.status == 502
        assert b"No origin of the site a.example passes its health checks" in refused.body
        healthy[0] = True
        await until(lambda: states(edge) == {"up"})
        assert (await client.fetch(ask(HOST, "/b"))).status == 200

    health = {"path": "/health", "interval": 0.01, "fails": 2, "passes": 2}
    run_edge(conversation, one_site(health=health), checked, checked)


def test_a_reload_without_checks_ends_them() -> None:
    checks: list[object] = []

    async def checked(peer: Peer) -> None:
        while True:
            checks.append(await peer.request())
            await peer.send(OK)

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        await until(lambda: len(checks) > 2)
        site = {"hosts": [HOST], "origins": [f"http://127.0.0.1:{origins[0].port}"]}
        edge.service.reload(Settings.model_validate({**edge.settings.model_dump(), "site": [site]}))
        await asyncio.sleep(0)
        before = len(checks)
        for _ in range(100):
            await asyncio.sleep(0.001)
        assert len(checks) <= before + 1  # one was perhaps on its way

    run_edge(conversation, one_site(health={"path": "/health", "interval": 0.001}), checked)


def test_a_reload_changes_the_origins_and_keeps_the_state_of_those_that_stay() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        urls = [f"http://127.0.0.1:{origin.port}" for origin in origins]
        await origins[0].__aexit__()
        for number in range(3):
            assert (await client.fetch(ask(HOST, f"/{number}"))).body == b"b"
        site = {"hosts": [HOST], "origins": [urls[0], urls[2]], "max_fails": 2}
        settings = Settings.model_validate({**edge.settings.model_dump(), "site": [site]})
        edge.service.reload(settings)
        edge.listener.handler.use_sites(settings.sites)
        for number in range(3):
            assert (await client.fetch(ask(HOST, f"/other/{number}"))).body == b"c"
        [described] = edge.service.origins.described()
        assert [origin["state"] for origin in described["origins"]] == ["down", "up"]

    run_edge(conversation, lambda urls: one_site()(urls[:2]), naming(b"a"), naming(b"b"), naming(b"c"))


def test_a_slow_origin_gets_no_more_than_one_request_while_the_other_one_is_free() -> None:
    async def slow(peer: Peer) -> None:
        await peer.request()
        await peer.client_closed()

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        waiting = await edge.client()
        waiting.send(ask(HOST, "/slow"))
        await until(lambda: len(origins[0].requests) == 1)
        client = await edge.client()
        assert {(await client.fetch(ask(HOST, f"/{number}"))).body for number in range(12)} == {b"b"}
        assert len(origins[0].requests) == 1

    run_edge(conversation, one_site(), slow, naming(b"b"))
