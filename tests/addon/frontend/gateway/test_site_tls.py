"""TLS for clients of an edge: certificate by server name, protocols, 421 for other sites, and files that change."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from tests.addon.frontend.edge import ask, run_edge
from tests.addon.frontend.front_end import Client, FrontEndUnderTest
from tests.addon.frontend.gateway.secure_sites import Hosts, host_and_path, sites
from tests.addon.frontend.http2.http2_client import Http2Client
from tests.fixtures.raw_origin import RawOrigin
from tests.fixtures.site_certificates import site_certificate, trusting
from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.fixtures.until import until
from tests.lanes.settings import origin_ca


@pytest.fixture
def ca(tmp_path: Path) -> ThrowawayCA:
    return ThrowawayCA(tmp_path, "site-ca")


def shown_to(client: Client) -> set[str]:
    """Return the names in the certificate that a client was shown."""
    names = client.writer.get_extra_info("peercert").get("subjectAltName", ())
    return {name for _, name in names}


def protocol_of(client: Client) -> str | None:
    return str(client.writer.get_extra_info("ssl_object").selected_alpn_protocol())


def test_the_server_name_chooses_the_certificate_and_host_the_site(ca: ThrowawayCA, tmp_path: Path) -> None:
    exact, wild = site_certificate(ca, tmp_path, "a.example"), site_certificate(ca, tmp_path, "*.b.example")

    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        for name, shown in (("a.example", "a.example"), ("A.example", "a.example"), ("x.b.example", "*.b.example")):
            client = await edge.secure_client(trusting(ca), name)
            assert shown_to(client) == {shown}
            response = await client.fetch(ask(name.lower()))
            assert (response.status, response.body) == (
                200 if name != "A.example" else 203,
                f"{name.lower()} /".encode(),
            )
        assert {entry.key for entry in edge.entries()} == {"https://a.example/", "https://x.b.example/"}

    run_edge(conversation, sites([(["a.example"], exact), (["*.b.example"], wild)]), host_and_path)


def test_a_name_that_no_site_has_is_refused_and_a_client_without_a_name_gets_the_first_site(
    ca: ThrowawayCA, tmp_path: Path
) -> None:
    first = site_certificate(ca, tmp_path, "127.0.0.1", "a.example")
    hosts: Hosts = [(["a.example"], first), (["b.example"], site_certificate(ca, tmp_path, "b.example"))]

    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        for name in ("c.example", "plain.example", "x.a.example"):
            with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
                await edge.secure_client(trusting(ca), name)
        client = await edge.secure_client(trusting(ca), None)
        assert "a.example" in shown_to(client)
        statuses = [(await client.fetch(ask(host))).status for host in ("a.example", "b.example")]
        assert statuses == [200, 200]
        assert (await client.fetch(ask("plain.example"))).status == 421

    run_edge(conversation, sites([*hosts, (["plain.example"], None)]), host_and_path)


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_a_host_of_another_site_is_misdirected_unless_the_certificate_is_for_it(
    protocol: str, ca: ThrowawayCA, tmp_path: Path
) -> None:
    both = site_certificate(ca, tmp_path, "a.example", "b.example")
    hosts: Hosts = [
        (["a.example"], both),
        (["b.example"], site_certificate(ca, tmp_path, "b.example")),
        (["c.example"], site_certificate(ca, tmp_path, "c.example")),
    ]

    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        async def status(server_name: str, host: str) -> tuple[int, bytes]:
            client = await edge.secure_client(trusting(ca, protocol), server_name)
            assert protocol_of(client) == protocol
            if protocol == "http/1.1":
                response = await client.fetch(ask(host))
                return response.status, response.body
            over_http2 = Http2Client(client, host, "https")
            over_http2.greet()
            answer = await over_http2.fetch("/")
            return answer.status, answer.content

        assert await status("a.example", "a.example") == (200, b"a.example /")
        assert await status("a.example", "b.example") == (200, b"b.example /")
        for _ in range(2):  # the second time, b.example is stored
            refused, body = await status("c.example", "b.example")
            assert refused == 421
            assert b"reason: server-name\n" in body
        assert (await status("b.example", "b.example"))[0] == 203
        assert (await status("c.example", "a.example"))[0] == 421
        assert sum(len(origin.requests) for origin in origins) == 2

    run_edge(conversation, sites(hosts), host_and_path)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_large_content_does_not_keep_the_client_from_reading_why_it_is_refused(
    version: ssl.TLSVersion, ca: ThrowawayCA, tmp_path: Path
) -> None:
    hosts: Hosts = [([f"{name}.example"], site_certificate(ca, tmp_path, f"{name}.example")) for name in "ab"]

    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        client = await edge.secure_client(trusting(ca, version=version), "a.example")
        client.send(ask("b.example", "/", "Content-Length: 8000000", method="POST"))
        for _ in range(80):
            client.send(bytes(100_000))
            await asyncio.sleep(0.001)
        assert (await client.response("POST")).status == 421
        await until(lambda: client.writer.transport.is_closing())

    run_edge(conversation, sites(hosts), host_and_path)


def test_only_tls_1_2_and_1_3_with_good_ciphers(ca: ThrowawayCA, tmp_path: Path) -> None:
    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = await edge.secure_client(trusting(ca, version=version), "a.example")
            assert (await client.fetch(ask("a.example"))).status in (200, 203)
        for weak in ("AES128-SHA256", "AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA256"):
            context = trusting(ca, version=ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(weak)
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                await edge.secure_client(context, "a.example")

    run_edge(conversation, sites([(["a.example"], site_certificate(ca, tmp_path, "a.example"))]), host_and_path)


def test_a_handshake_that_does_not_end_is_ended_and_other_protocols_are_too(ca: ThrowawayCA, tmp_path: Path) -> None:
    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        assert edge.settings.tls_address
        host, port = edge.settings.tls_address
        silent = Client(*await asyncio.open_connection(host, port))
        silent.send(b"\x16\x03\x01")
        await until(lambda: len(edge.connections) == 1)
        edge.advance_deadlines(20)
        assert await silent.rest() == b""
        plain = Client(*await asyncio.open_connection(host, port))
        plain.send(ask("a.example"))
        refused = await plain.response()
        assert (refused.status, refused.body.split(b"\n")[0]) == (
            400,
            b"This port is for https, and the request came over http.",
        )
        for client in (silent, plain):
            client.disconnect()

    run_edge(conversation, sites([(["a.example"], site_certificate(ca, tmp_path, "a.example"))]), host_and_path)


def test_the_ca_of_other_tests_is_not_trusted_here(ca: ThrowawayCA, tmp_path: Path) -> None:
    async def conversation(edge: FrontEndUnderTest, _origins: list[RawOrigin]) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            await edge.secure_client(trusting(origin_ca()), "a.example")

    run_edge(conversation, sites([(["a.example"], site_certificate(ca, tmp_path, "a.example"))]), host_and_path)
