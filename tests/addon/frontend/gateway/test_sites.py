"""The sites of an edge: each request goes to the site of its host, and an unknown host gets 421."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from addon.config.settings import Settings
from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.request_head import MalformedRequest, RefusedRequest, parse
from addon.frontend.http1.request_target import GatewayTargets
from tests.addon.frontend.edge import ask, run_edge
from tests.addon.frontend.front_end import FrontEndUnderTest, echo_path, request_head
from tests.addon.frontend.http2.http2_client import Http2Client
from tests.fixtures.raw_origin import HEAD, Peer, RawOrigin

ORIGIN = "http://127.0.0.1:1"


def two_sites(urls: list[str]) -> list[dict[str, Any]]:
    return [
        {"hosts": ["a.example", "*.a.example"], "origins": [urls[0]]},
        {"hosts": ["b.example", "b.a.example"], "origins": [urls[1]]},
    ]


def naming(name: bytes) -> Any:
    """Return a script that answers every request with a name and the Host field; the answers may be stored."""

    async def script(peer: Peer) -> None:
        while True:
            head = await peer.request()
            body = name + b" " + next(line for line in head.split(b"\r\n") if line.startswith(b"Host: "))
            await peer.send(HEAD + b"Cache-Control: max-age=60\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    return script


SCRIPTS = naming(b"first"), naming(b"second")


def targets(*sites: dict[str, Any]) -> GatewayTargets:
    known = Sites(Settings.model_validate({"site": sites}).sites)
    known.ports.add(8080)
    return GatewayTargets(known)


def test_each_host_is_answered_by_the_origin_of_its_site() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        for host, body in (
            ("a.example", b"first Host: a.example"),
            ("www.a.example", b"first Host: www.a.example"),
            ("B.example.", b"second Host: b.example"),
            ("b.a.example", b"second Host: b.a.example"),
        ):
            assert (await client.fetch(ask(host))).body == body
        assert (len(origins[0].requests), len(origins[1].requests)) == (2, 2)
        assert (await client.fetch(ask("a.example"))).status == 203

    run_edge(conversation, two_sites, *SCRIPTS)


@pytest.mark.parametrize(
    "data",
    [
        ask("c.example"),
        ask("c.example:80"),
        ask("example"),
        ask("a.example.evil.test"),
        ask("127.0.0.1"),
        request_head("GET http://c.example/ HTTP/1.1", "Host: a.example"),
        request_head("GET https://c.example/ HTTP/1.1", "Host: a.example"),
        request_head("POST / HTTP/1.1", "Host: c.example", "Content-Length: 2") + b"ab",
        request_head("GET / HTTP/1.0", "Host: c.example"),
        request_head(
            *("GET / HTTP/1.1", "Host: c.example", "Connection: Upgrade", "Upgrade: websocket"),
            *("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
        ),
    ],
)
def test_an_unknown_host_is_refused_without_asking_an_origin(data: bytes, tmp_path: Path) -> None:
    log = tmp_path / "access.log"

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        response = await (await edge.client()).fetch(data)
        assert response.status == 421
        assert b"reason: unknown-host\n" in response.body
        assert "error=destination_not_found" in (response.fields.get("proxy-status") or "")
        assert edge.service.counters.snapshot()["refused.unknown-host"] == 1
        assert [origin.connections for origin in origins] == [0, 0]
        assert not edge.entries()

    run_edge(conversation, two_sites, *SCRIPTS, log={"access": str(log)})
    assert f'"{data.decode().partition(" ")[0]} http' in log.read_text()


def test_an_unknown_host_is_refused_over_http2_and_the_connection_stays() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        raw = await edge.client()
        client = Http2Client(raw, "c.example", "http")
        client.greet()
        response = await client.fetch("/")
        assert (response.status, origins[0].connections) == (421, 0)
        assert b"reason: unknown-host\n" in response.content
        client.authority = "a.example"
        assert (await client.fetch("/")).content == b"first Host: a.example"
        assert not [entry for entry in edge.entries() if "c.example" in entry.key]

    run_edge(conversation, two_sites, *SCRIPTS)


def test_all_ports_that_clients_invent_are_one() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        statuses = [(await client.fetch(ask(f"a.example{port}"))).status for port in ("", ":80", ":81", ":65535", ":")]
        assert statuses == [200, 203, 203, 203, 203]
        absolute = request_head("GET http://a.example:9/ HTTP/1.1", "Host: a.example:10")
        assert (await client.fetch(absolute)).status == 203
        assert b"Host: a.example\r\n" in origins[0].requests[0]
        assert [entry.key for entry in edge.entries()] == ["http://a.example/"]

    run_edge(conversation, two_sites, *SCRIPTS)


def test_the_port_of_the_listener_is_kept_since_urls_of_this_edge_have_it() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        host = f"a.example:{edge.address[1]}"
        client = await edge.client()
        assert (await client.fetch(ask(host))).body == f"first Host: {host}".encode()
        assert [entry.key for entry in edge.entries()] == [f"http://{host}/"]

    run_edge(conversation, two_sites, *SCRIPTS)


def test_a_site_for_any_host_keeps_every_port() -> None:
    request = targets({"hosts": ["*"], "origins": [ORIGIN]}).request(parse(ask("c.example:81")))
    assert (request.host, request.port) == ("c.example", 81)


def test_http_1_0_without_host_gets_the_only_host() -> None:
    request = parse(b"GET / HTTP/1.0\r\n\r\n")
    assert targets({"hosts": ["a.example"], "origins": [ORIGIN]}).request(request).host == "a.example"
    for sites in (
        [{"hosts": ["*.a.example"], "origins": [ORIGIN]}],
        [{"hosts": [host], "origins": [ORIGIN]} for host in ("a.example", "b.example")],
    ):
        with pytest.raises(MalformedRequest) as refused:
            targets(*sites).request(request)
        assert not isinstance(refused.value, RefusedRequest)
        assert refused.value.status == 400


def test_an_empty_host_in_an_absolute_target_is_refused() -> None:
    with pytest.raises(MalformedRequest):
        targets({"hosts": ["a.example"], "origins": [ORIGIN]}).request(
            parse(request_head("GET http:///a HTTP/1.1", "Host: a.example"))
        )


def test_the_sites_of_a_reload_serve_the_next_request_also_for_requests_that_came_before() -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        for _ in range(3):
            await client.fetch(ask("a.example", "/fresh"))
        changed = {**edge.settings.model_dump(), "site": two_sites([f"http://127.0.0.1:{origins[1].port}"] * 2)[1:]}
        settings = Settings.model_validate(changed)
        edge.service.reload(settings)
        edge.listener.handler.use_sites(settings.sites)
        assert (await client.fetch(ask("a.example", "/fresh"))).status == 421
        client = await edge.client()
        assert (await client.fetch(ask("a.example", "/fresh/other"))).status == 421
        assert (await (await edge.client()).fetch(ask("b.example", "/fresh"))).body == b"/fresh"

    run_edge(conversation, two_sites, echo_path, echo_path)
