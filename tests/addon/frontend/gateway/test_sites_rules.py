"""The rules of a site between a client and an origin: what both get, on all ways past the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.addon.frontend.edge import ask, run_edge
from tests.addon.frontend.front_end import FrontEndUnderTest
from tests.addon.frontend.http2.http2_client import Http2Client
from tests.fixtures.raw_origin import Peer, RawOrigin

HOST = "blog.example"

WORDPRESS: list[dict[str, Any]] = [
    {"path": ["/wp-admin/*", "/wp-login.php"], "bypass": True},
    {"path": "/static/*", "cookies": {"keep": []}, "ttl": "1d"},
    {"content_type": "image/*", "bypass": True},
    {
        "query": {"drop": ["utm_*", "fbclid"], "sort": True},
        "cookies": {"keep": ["wordpress_logged_in_*", "lang"]},
        "bypass_cookies": ["wordpress_logged_in_*"],
        "vary_cookie": "lang",
        "request_fields": {"set": {"X-Tier": "edge"}},
        "ttl": "10 min",
        "negative_ttl": 10,
    },
]


async def wordpress(peer: Peer) -> None:
    """Answer with the request line and the cookies, without any field about caching."""
    while True:
        lines = (await peer.request()).split(b"\r\n")
        cookies = [line for line in lines if line.lower().startswith(b"cookie:")]
        body = b" ".join([lines[0].removesuffix(b" HTTP/1.1"), *cookies])
        kind = b"image/png" if b".png" in lines[0] else b"text/html"
        status = b"404 Not Found" if b"missing" in lines[0] else b"200 OK"
        head = b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (status, kind, len(body))
        await peer.send(head + body)


def site(rules: list[dict[str, Any]]) -> Callable[[list[str]], list[dict[str, Any]]]:
    return lambda urls: [{"hosts": [HOST], "origins": urls, "rules": rules}]


def asked(origin: RawOrigin) -> list[str]:
    """Return the targets that the origin was asked for."""
    return [request.split(b" ")[1].decode() for request in origin.requests]


def run(conversation: Any, rules: list[dict[str, Any]] = WORDPRESS) -> None:
    run_edge(conversation, site(rules), wordpress)


def test_links_with_tracking_parameters_lead_to_one_copy() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        targets = ["/p?b=2&a=1", "/p?utm_source=x&a=1&b=2", "/p?a=1&b=2&fbclid=y", "/p?b=2&a=1"]
        responses = [await client.fetch(ask(HOST, target)) for target in targets]
        assert [response.status for response in responses] == [200, 203, 203, 203]
        assert {response.body for response in responses} == {b"GET /p?a=1&b=2"}
        assert "detail=rule" in (responses[-1].fields.get("cache-status") or "")
        assert asked(origins[0]) == ["/p?a=1&b=2"]

    run(conversation)


def test_many_requests_that_differ_in_the_path_alone_are_each_treated_by_the_rules_for_it() -> None:
    """Request classes and templates, response patterns and templates, and hot responses, mixed."""

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        for turn in range(4):
            for number in range(12):
                for target, left in (
                    (f"/p{number}?utm_x={turn}&b=1&a=2", f"/p{number}?a=2&b=1"),
                    (f"/static/{number}.css?utm_x={turn}", f"/static/{number}.css"),
                    (f"/wp-admin/{number}?a", f"/wp-admin/{number}?a"),
                    (f"/{number}.png", f"/{number}.png"),
                ):
                    response = await client.fetch(ask(HOST, target, "Cookie: _ga=1"))
                    assert response.body == f"GET {left}".encode()
                    fresh = turn > 0 and ("/p" in left or "static" in left)
                    assert response.status == (203 if fresh else 200), (turn, target)
        counts = {target: asked(origins[0]).count(target) for target in asked(origins[0])}
        for target, count in counts.items():
            assert count == (1 if target.startswith(("/p", "/static")) else 4), target
        assert not any(b"Cookie" in request for request in origins[0].requests)
        keys = {entry.key for entry in edge.entries()}
        assert not any("utm" in key or "wp-admin" in key or "png" in key for key in keys)
        lifetimes = {
            (await client.fetch(ask(HOST, path, "Cookie: _ga=1"))).fields.get("cache-status")
            for path in ("/p3?a=2&b=1", "/static/3.css")
        }
        assert lifetimes == {"secondhand; hit; ttl=600; detail=rule", "secondhand; hit; ttl=86400; detail=rule"}

    run(conversation)


def test_a_private_page_is_not_stored_because_its_path_looks_like_that_of_a_public_file() -> None:
    rules: list[dict[str, Any]] = [{"path": "/static/*", "ttl": "1d", "override": ["cookie"]}]

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        for path in ("/account/..%2fstatic/a.css", "/account/../static/a.css"):
            own = [await client.fetch(ask(HOST, path, cookie)) for cookie in ("Cookie: user=ada", "Cookie: user=eve")]
            assert [response.status for response in own] == [200, 200]
            assert own[1].body.endswith(b"user=eve")
        assert edge.entries() == ()

    run(conversation, rules)


def test_people_who_have_logged_in_get_pages_of_their_own() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        own = "Cookie: wordpress_logged_in_1f=ada"
        for cookie, status, body in (
            ("Cookie: _ga=1", 200, b"GET /"),
            ("Cookie: _ga=2; _gid=3", 203, b"GET /"),
            (own, 200, b"GET / Cookie: wordpress_logged_in_1f=ada"),
            (own, 200, b"GET / Cookie: wordpress_logged_in_1f=ada"),
            ("Cookie: lang=de; _ga=1", 200, b"GET / Cookie: lang=de"),
            ("Cookie: _ga=7; lang=de", 203, b"GET / Cookie: lang=de"),
            ("Cookie: lang=fr", 200, b"GET / Cookie: lang=fr"),
            ("Accept: */*", 203, b"GET /"),
        ):
            response = await client.fetch(ask(HOST, "/", cookie))
            assert (response.status, response.body) == (status, body), cookie

    run(conversation)


def test_the_same_over_http2() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = Http2Client(await edge.client(), HOST, "http")
        client.greet()
        for path, cookie, status, body in (
            ("/p?utm_source=x&b=1&a=2", "_ga=1", 200, b"GET /p?a=2&b=1"),
            ("/p?a=2&b=1", "_ga=2", 203, b"GET /p?a=2&b=1"),
            ("/p?a=2&b=1", "_ga=2", 203, b"GET /p?a=2&b=1"),
            ("/wp-admin/", "_ga=2", 200, b"GET /wp-admin/"),
            ("/wp-admin/", "_ga=2", 200, b"GET /wp-admin/"),
        ):
            response = await client.fetch(path, ("cookie", cookie))
            assert (response.status, bytes(response.content)) == (status, body)
        plain = await (await edge.client()).fetch(ask(HOST, "/p?b=1&a=2"))
        assert (plain.status, plain.body) == (203, b"GET /p?a=2&b=1")

    run(conversation)


def test_fields_that_a_client_forges_are_replaced() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        await (await edge.client()).fetch(ask(HOST, "/", "x-tier: forged"))
        assert origins[0].requests[0].count(b"X-Tier: edge\r\n") == 1
        assert b"forged" not in origins[0].requests[0]

    run(conversation)


@pytest.mark.parametrize(("path", "status", "seconds"), [("/missing", 404, 10), ("/there", 203, 600)])
def test_lifetimes_end(path: str, status: int, seconds: int) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        for later, requests in ((0, 1), (seconds - 1, 1), (2, 2)):
            edge.clock.advance(later)
            response = await client.fetch(ask(HOST, path))
            assert len(origins[0].requests) == requests
        assert response.status == (404 if status == 404 else 200)

    run(conversation)


def test_requests_are_changed_by_the_rules_that_the_cache_decides_by() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        rules = edge.service.policy.site_rules
        assert rules is not None
        assert edge.listener.handler.frontend.sites.rules_of(HOST) is rules.find(HOST)
        edge.service.reload(edge.settings)
        edge.listener.handler.use_sites(edge.settings.sites)
        rules = edge.service.policy.site_rules
        assert rules is not None
        assert edge.listener.handler.frontend.sites.rules_of(HOST) is rules.find(HOST)

    run(conversation)


def test_another_set_of_rules_applies_from_the_next_request_on() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        url = f"http://127.0.0.1:{origins[0].port}"
        for _ in range(3):
            await client.fetch(ask(HOST, "/p?utm_x=1"))
        assert asked(origins[0]) == ["/p"]
        without = type(edge.settings).model_validate(
            {**edge.settings.model_dump(), "site": [{"hosts": [HOST], "origins": [url]}]}
        )
        edge.service.reload(without)
        edge.listener.handler.use_sites(without.sites)
        assert (await client.fetch(ask(HOST, "/p?utm_x=1"))).status == 200
        assert asked(origins[0]) == ["/p", "/p?utm_x=1"]

    run(conversation)
