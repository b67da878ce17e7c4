"""Sites that answer over https only: the redirect from http, and Strict-Transport-Security."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.addon.frontend.edge import ask, run_edge
from tests.addon.frontend.front_end import FrontEndUnderTest, request_head
from tests.addon.frontend.gateway.secure_sites import Hosts, host_and_path, sites
from tests.addon.frontend.http2.http2_client import Http2Client
from tests.fixtures.raw_origin import RawOrigin
from tests.fixtures.site_certificates import site_certificate, trusting
from tests.fixtures.throwaway_ca import ThrowawayCA

FIELD = "strict-transport-security"


@pytest.fixture
def ca(tmp_path: Path) -> ThrowawayCA:
    return ThrowawayCA(tmp_path, "site-ca")


@pytest.fixture
def hosts(ca: ThrowawayCA, tmp_path: Path) -> Hosts:
    return [(["a.example", "*.a.example"], site_certificate(ca, tmp_path, "a.example", "*.a.example"))]


def test_a_request_over_http_is_redirected_with_its_path_and_query(hosts: Hosts) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        assert edge.settings.tls_address
        plain, tls = edge.address[1], edge.settings.tls_address[1]
        for request, location in (
            (ask("a.example", "/p?q=1&q=2"), "https://a.example/p?q=1&q=2"),
            (ask("A.example:80", "/"), "https://a.example/"),
            (ask("x.a.example:81", "/%2e?"), "https://x.a.example/%2e?"),
            (ask(f"a.example:{plain}", "/p"), f"https://a.example:{tls}/p"),
            (ask("a.example", "*", method="OPTIONS"), "https://a.example"),
            (ask("a.example", "/p", "Content-Length: 2", method="POST") + b"ab", "https://a.example/p"),
            (request_head("GET http://a.example/p HTTP/1.1", "Host: b.example"), "https://a.example/p"),
        ):
            response = await (await edge.client()).fetch(request)
            assert (response.status, response.fields.get("location")) == (308, location)
        assert edge.service.counters.snapshot()["refused.redirect"] == 7
        assert not origins[0].requests
        assert not edge.entries()

    run_edge(conversation, sites(hosts, redirect_https=True), host_and_path)


def test_the_connection_stays_after_a_redirect_and_after_a_host_that_no_site_has(hosts: Hosts) -> None:
    """A proxy in front sends the requests of many clients on one connection."""

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        for host, method, status in (("a.example", "GET", 308), ("b.example", "HEAD", 421), ("a.example", "GET", 308)):
            response = await client.fetch(ask(host, method=method))
            assert (response.status, response.fields.get("connection")) == (status, None)
        assert (await client.fetch(ask("a.example", "/.well-known/acme-challenge/a"))).status == 200

    run_edge(conversation, sites(hosts, redirect_https=True), host_and_path)


def test_many_redirects_over_http2_do_not_end_the_connection(hosts: Hosts) -> None:
    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        client = Http2Client(await edge.client(), "a.example", "http")
        client.greet()
        assert {(await client.fetch("/p")).status for _ in range(300)} == {308}

    run_edge(conversation, sites(hosts, redirect_https=True), host_and_path)


def test_a_request_over_http2_in_clear_is_redirected_too(hosts: Hosts) -> None:
    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        client = Http2Client(await edge.client(), "a.example", "http")
        client.greet()
        response = await client.fetch("/p")
        assert (response.status, response.heads[-1]["location"]) == (308, "https://a.example/p")

    run_edge(conversation, sites(hosts, redirect_https=True), host_and_path)


def test_large_content_does_not_keep_the_client_from_reading_the_redirect(hosts: Hosts) -> None:
    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        client = await edge.client()
        client.send(ask("a.example", "/p", "Content-Length: 8000000", method="POST") + bytes(8_000_000))
        assert (await client.response("POST")).status == 308

    run_edge(conversation, sites(hosts, redirect_https=True), host_and_path)


def test_challenges_of_an_authority_are_answered_by_the_origin(hosts: Hosts) -> None:
    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        client = await edge.client()
        assert (await client.fetch(ask("a.example", "/.well-known/acme-challenge/token"))).status == 200
        assert (await client.fetch(ask("a.example", "/.well-known/acme-challenges"))).status == 308

    run_edge(conversation, sites(hosts, redirect_https=True), host_and_path)


def test_responses_over_https_have_the_field_and_those_over_http_do_not(hosts: Hosts, ca: ThrowawayCA) -> None:
    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        secure, plain = await edge.secure_client(trusting(ca), "a.example"), await edge.client()
        for _ in range(3):  # from the origin, from the store, and as a hot response
            assert (await secure.fetch(ask("a.example"))).fields.all(FIELD) == ("max-age=600",)
            assert (await plain.fetch(ask("a.example"))).fields.all(FIELD) == ()

    run_edge(conversation, sites(hosts, hsts="max-age=600"), host_and_path)
