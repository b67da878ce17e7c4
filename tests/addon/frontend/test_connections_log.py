"""The same values for the same requests: over HTTP/1 and HTTP/2, from the hot cache and from the origin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.addon.frontend.front_end import (
    FRESH,
    FrontEndUnderTest,
    authority_of,
    client_tls,
    get,
    get_in_tunnel,
    origin_tls,
    run_conversation,
)
from tests.addon.frontend.http2.http2_client import http2_client
from tests.fixtures.raw_origin import HEAD, RawOrigin, answering

NOT_STORED = b"%bContent-Length: 2\r\nSet-Cookie: a=b\r\n\r\nok" % HEAD


def logged_in(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def settings_for(log: Path) -> dict[str, str]:
    return {"access": str(log), "access_format": "json"}


async def close(front_end: FrontEndUnderTest, log: Path) -> list[dict[str, Any]]:
    await front_end.listener.close()
    return logged_in(log)


def test_a_hot_hit_and_a_miss_over_http_1(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        fields = "User-Agent: a b", "Referer: http://b.example/?c"
        for _ in range(4):
            await client.fetch(get(origin, "/a", *fields))
            front_end.clock.advance(0.5)
        lines = await close(front_end, tmp_path / "log")
        assert [line["decision"] for line in lines] == ["uri-miss", "hit", "hit", "hit"]
        assert {line["http_user_agent"] for line in lines} == {"a b"}
        assert {line["http_referer"] for line in lines} == {"http://b.example/?[hidden]"}
        assert [line["upstream_header_time"] for line in lines] == [0, None, None, None]
        assert [line["status"] for line in lines] == [200, 203, 203, 203]
        assert len({line["request_id"] for line in lines}) == 4

    run_conversation(conversation, answering(FRESH), log=settings_for(tmp_path / "log"))


def test_repeated_misses_tell_why_they_were_not_stored_and_how_long_the_origin_took(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for number in range(4):
            await client.fetch(get(origin, f"/{number}"))
        lines = await close(front_end, tmp_path / "log")
        assert {line["result"] for line in lines} == {"uri-miss/set-cookie"}
        assert {line["upstream_response_time"] for line in lines} == {0}

    run_conversation(conversation, answering(*[NOT_STORED] * 4), log=settings_for(tmp_path / "log"))


def test_http_2_in_a_tunnel(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await http2_client(front_end, origin)
        for _ in range(3):
            await client.fetch("/a", ("user-agent", "a b"))
        lines = [line for line in await close(front_end, tmp_path / "log") if line["decision"] != "tunnel"]
        assert [line["decision"] for line in lines] == ["uri-miss", "hit", "hit"]
        assert {line["server_protocol"] for line in lines} == {"HTTP/2.0"}
        assert {line["http_user_agent"] for line in lines} == {"a b"}

    run_conversation(conversation, answering(FRESH), log=settings_for(tmp_path / "log"))


def test_tls_of_the_client_is_logged_with_a_hit(tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls())
        for _ in range(3):
            await client.fetch(get_in_tunnel(origin, "/a"))
        lines = await close(front_end, tmp_path / "log")
        assert [(line["decision"], line["ssl_protocol"]) for line in lines] == [
            ("tunnel", None),
            *[(each, "TLSv1.3") for each in ("uri-miss", "hit", "hit")],
        ]

    run_conversation(conversation, answering(FRESH), secure=origin_tls(), log=settings_for(tmp_path / "log"))


def test_the_site_of_an_edge_is_named(tmp_path: Path) -> None:
    async def conversation(_: FrontEndUnderTest, origin: RawOrigin) -> None:
        site = {"hosts": ["example.org", "*.example.org"], "origins": [f"http://127.0.0.1:{origin.port}"]}
        async with FrontEndUnderTest({"site": [site], "log": settings_for(tmp_path / "log")}) as edge:
            client = await edge.client()
            for _ in range(3):
                await client.fetch(b"GET /a HTTP/1.1\r\nHost: x.example.org\r\n\r\n")
            lines = await close(edge, tmp_path / "log")
        assert [(line["site"], line["decision"]) for line in lines] == [
            ("example.org", each) for each in ("uri-miss", "hit", "hit")
        ]

    run_conversation(conversation, answering(FRESH))
