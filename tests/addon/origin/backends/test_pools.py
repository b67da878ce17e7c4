"""The pool of a request: that of an origin which is up, or now and then of one that is down."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from addon.origin import OriginClient, OriginFailure
from addon.origin.pool import OriginPool
from cache.http.messages import Request
from tests.addon.origin.backends.several_origins import HOST, ask, body, naming, run_site
from tests.addon.origin.backends.test_health import REFUSED
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin

NAMES = naming(b"a"), naming(b"b"), naming(b"c")


def take_down(client: OriginClient, *places: int) -> None:
    [site] = client.sites
    for place in places:
        site.origins[place].health.failed(REFUSED)


def chosen(client: OriginClient, origins: list[RawOrigin], *tried: OriginPool) -> int:
    """Return the place of the origin that a request goes to."""
    pool = client.pools(ask()).choose(ask(), tried)
    assert pool is not None
    return [origin.port for origin in origins].index(pool.route.port)


def test_an_origin_that_is_down_gets_no_request() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        take_down(client, 1)
        assert [chosen(client, origins) for _ in range(4)] == [0, 2, 0, 2]

    run_site(conversation, *NAMES)


def test_it_gets_one_request_when_it_is_due_but_not_as_a_second_attempt() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        take_down(client, 1)
        [site] = client.sites
        site.origins[1].health.tried_at -= 11
        assert client.pools(ask()).choose_ready(ask()) is None
        first = client.pools(Request("GET", "http", HOST, 80, "/")).choose(ask(), [])
        assert first is not None
        assert first.route.port == origins[1].port
        assert 1 not in [chosen(client, origins) for _ in range(4)]
        site.origins[1].health.tried_at -= 11
        other = client.pools(ask()).choose(ask(), [client.pools(ask()).all[0]])
        assert other is not None
        assert other.route.port == origins[2].port

    run_site(conversation, *NAMES)


def test_if_all_have_failed_each_is_tried_in_turn() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        take_down(client, 2, 0, 1)
        assert [chosen(client, origins) for _ in range(4)] == [2, 0, 1, 2]

    run_site(conversation, *NAMES)


def test_the_only_origin_gets_all_requests_though_they_fail() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        take_down(client, 0)
        assert [chosen(client, origins) for _ in range(2)] == [0, 0]
        [site] = client.sites
        site.origins[0].health.answered(200)
        assert site.origins[0].health.is_up

    run_site(conversation, naming(b"a"))


def test_an_edge_asks_nobody_for_a_host_that_no_site_has() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        with pytest.raises(OriginFailure, match=r"No site of this edge has the host 127\.0\.0\.1"):
            await client.fetch(Request("GET", "http", "127.0.0.1", origins[0].port, "/"))
        assert origins[0].connections == 0

    run_site(conversation, naming(b"a"))


def test_after_an_outage_of_a_site_new_connections_are_used() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        for _ in range(4):
            response = await client.fetch(ask())
            await response.close()
        assert [origin.connections for origin in origins] == [1, 1]
        client.renew(ask())
        for _ in range(4):
            response = await client.fetch(ask())
            await response.close()
        assert [origin.connections for origin in origins] == [2, 2]

    run_site(conversation, *NAMES[:2])


def test_a_second_attempt_at_the_only_origin_is_no_trial() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        take_down(client, 0)
        [site] = client.sites
        pools, before = client.pools(ask()), site.origins[0].health.tried_at
        assert pools.choose(ask(), [pools.all[0]]) is None
        assert site.origins[0].health.tried_at == before

    run_site(conversation, NAMES[0])


def test_requests_under_way_are_counted_until_they_are_answered() -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def patient(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await answer.wait()
        await peer.send(HEAD + b"Content-Length: 0\r\n\r\n")

    async def conversation(client: OriginClient, _origins: list[RawOrigin]) -> None:
        assert under_way(client) == [0]
        waiting = asyncio.create_task(body(client, ask()))
        await asked.wait()
        assert under_way(client) == [1]
        answer.set()
        await waiting
        assert under_way(client) == [0]

    run_site(conversation, patient)


def under_way(client: OriginClient) -> list[object]:
    [site] = client.sites
    origins: Any = site.described()["origins"]
    return [origin["in_flight"] for origin in origins]
