"""The way to the origins of a site: Unix sockets, prefixes, Host, TLS names and certificates."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from addon.config.settings import Settings
from addon.origin import FailureKind, OriginClient, OriginFailure
from addon.runtime.event_loop import new_event_loop
from cache.http.messages import Fields, Request
from tests.addon.origin.backends.several_origins import HOST, ask, body, run_site
from tests.fixtures.raw_origin import OK, RawOrigin, answering, endless
from tests.fixtures.throwaway_ca import ThrowawayCA

pytestmark = pytest.mark.usefixtures("no_system_trust")


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayCA:
    return ThrowawayCA(tmp_path_factory.mktemp("ca"), "throwaway")


def client_for(site: dict[str, Any]) -> OriginClient:
    """Return a client for one site, that of HOST unless it names its hosts."""
    settings = Settings.model_validate({"site": [{"hosts": [HOST], **site}], "origin": {"proxy": "none"}})
    return OriginClient(settings.origin_options())


def run(main: Any, loop: Any = new_event_loop) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main)


def first_line_and_host(origin: RawOrigin) -> list[str]:
    """Return the request line and the Host line of the last request."""
    lines = origin.requests[-1].decode().split("\r\n")
    return [lines[0], *(line for line in lines if line.startswith("Host: "))]


@pytest.mark.parametrize(
    ("url", "target", "expected"),
    [
        ("http://127.0.0.1:{}", "/a?b", "/a?b"),
        ("http://127.0.0.1:{}/", "/a?b", "/a?b"),
        ("http://127.0.0.1:{}/app", "/a?b", "/app/a?b"),
        ("http://127.0.0.1:{}/app/", "/", "/app/"),
        ("http://127.0.0.1:{}/a%20b", "//c/../d", "/a%20b//c/../d"),
    ],
)
def test_the_prefix_of_an_origin_is_put_in_front_of_the_target(url: str, target: str, expected: str) -> None:
    async def main() -> None:
        async with RawOrigin(endless) as origin:
            client = client_for({"origins": [url.format(origin.port)]})
            assert await body(client, ask(target)) == b"ok"
            assert first_line_and_host(origin) == [f"GET {expected} HTTP/1.1", f"Host: {HOST}"]
            await body(client, ask("*", method="OPTIONS"))
            assert first_line_and_host(origin)[0] == "OPTIONS * HTTP/1.1"
            await client.close()

    run(main())


@pytest.mark.parametrize(
    ("setting", "host"),
    [
        ("client", HOST),
        ("origin", "127.0.0.1:{}"),
        ("Other.example", "other.example"),
        ("other.example:81", "other.example:81"),
        ("[::1]:81", "[::1]:81"),
        ("[::1]", "[::1]"),
    ],
)
def test_the_host_field_is_that_of_the_setting(setting: str, host: str) -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        await body(client, ask("/", ("Host", "client.example")))
        assert first_line_and_host(origins[0])[1:] == [f"Host: {host.format(origins[0].port)}"]

    run_site(conversation, endless, host_header=setting)


@pytest.mark.parametrize("loop", [new_event_loop, asyncio.new_event_loop])
def test_a_unix_socket_is_an_origin(loop: Any, tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    heads = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(OK)
        writer.close()

    async def main() -> None:
        async with await asyncio.start_unix_server(serve, path):
            client = client_for({"origins": [f"unix:{path}:/app"], "host_header": "origin"})
            assert [await body(client, ask("/a")), await body(client, ask("/b"))] == [b"ok", b"ok"]
            assert [head.split(b"\r\n")[:2] for head in heads] == [
                [b"GET /app/a HTTP/1.1", b"Host: localhost"],
                [b"GET /app/b HTTP/1.1", b"Host: localhost"],
            ]
            await client.close()

    run(main(), loop)


def test_a_unix_socket_that_is_missing_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        client = client_for({"origins": [f"unix:{tmp_path}/app.sock"]})
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(ask())
        assert caught.value.kind is FailureKind.DESTINATION_UNAVAILABLE
        assert caught.value.detail.startswith(f"unix:{tmp_path}/app.sock could not be reached")
        await client.close()

    run(main())


def test_sni_and_ca_files_are_those_of_the_site(ca: ThrowawayCA) -> None:
    """The certificate is for the name in `sni`, and its CA is trusted for this site only."""

    async def main() -> None:
        async with RawOrigin(endless, tls=ca.server_context("internal.example")) as origin:
            url = f"https://127.0.0.1:{origin.port}"
            trusting = {"ca_files": [str(ca.file)], "sni": "internal.example"}
            for site, is_trusted in (({}, False), ({"ca_files": [str(ca.file)]}, False), (trusting, True)):
                client = client_for({"origins": [url], **site})
                if is_trusted:
                    assert await body(client, ask()) == b"ok"
                else:
                    with pytest.raises(OriginFailure) as caught:
                        await client.fetch(ask())
                    assert caught.value.kind is FailureKind.TLS_CERTIFICATE_ERROR
                await client.close()

    run(main())


def test_the_client_certificate_of_the_site_is_shown(ca: ThrowawayCA) -> None:
    async def main() -> None:
        tls = ca.server_context("127.0.0.1")
        tls.load_verify_locations(ca.file)
        tls.verify_mode = ssl.CERT_REQUIRED
        async with RawOrigin(endless, tls=tls) as origin:
            site = {"origins": [f"https://127.0.0.1:{origin.port}"], "ca_files": [str(ca.file)]}
            client = client_for({**site, "client_certificate": str(ca.server_files("proxy.example"))})
            assert await body(client, ask()) == b"ok"
            await client.close()
            client = client_for(site)
            with pytest.raises(OriginFailure):
                await client.fetch(ask())
            await client.close()

    run(main())


@pytest.mark.parametrize(
    ("reply", "statuses", "problem"),
    [
        (OK, [], None),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", [], None),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", [], "its health check was answered 404"),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", [404], None),
        (OK, [204], "its health check was answered 200"),
    ],
)
def test_a_check_is_passed_by_its_status(reply: bytes, statuses: list[int], problem: str | None) -> None:
    async def main() -> None:
        async with RawOrigin(answering(reply)) as origin:
            health = {"path": "/health?a", "status": statuses}
            settings = Settings.model_validate(
                {
                    "site": [
                        {"hosts": ["*.a.example"], "origins": [f"http://127.0.0.1:{origin.port}/app"], "health": health}
                    ]
                }
            )
            client = OriginClient(settings.origin_options())
            [site] = client.sites
            assert await client.check(site, site.origins[0]) == problem
            assert first_line_and_host(origin) == ["GET /health?a HTTP/1.1", "Host: a.example"]
            await client.close()

    run(main())


@pytest.mark.parametrize(
    ("tables", "lines"),
    [
        ({"trusted_proxies": ["127.0.0.1"]}, ["Proto: https", "Host: a.example", "Port: 443"]),
        ({}, ["Proto: http", "Host: a.example", "Port: 80"]),
        ({"forwarded_fields": []}, []),
    ],
)
def test_a_check_has_the_forwarded_fields_that_requests_of_the_site_have(
    tables: dict[str, Any], lines: list[str]
) -> None:
    """An application that redirects requests over http would never pass it otherwise."""

    async def main() -> None:
        async with RawOrigin(answering(OK)) as origin:
            site = {"hosts": ["a.example"], "origins": [f"http://127.0.0.1:{origin.port}"], "health": {"path": "/"}}
            client = OriginClient(Settings.model_validate({"site": [site], **tables}).origin_options())
            [checked] = client.sites
            assert await client.check(checked, checked.origins[0]) is None
            found = [line for line in origin.requests[-1].decode().split("\r\n") if line.startswith("X-Forwarded-")]
            assert found == [f"X-Forwarded-{line}" for line in lines]
            await client.close()

    run(main())


def test_a_check_of_a_site_for_any_host_names_the_origin() -> None:
    async def main() -> None:
        async with RawOrigin(answering(OK)) as origin:
            health = {"path": "/health"}
            client = client_for({"hosts": ["*"], "origins": [f"http://127.0.0.1:{origin.port}"], "health": health})
            [site] = client.sites
            assert await client.check(site, site.origins[0]) is None
            assert first_line_and_host(origin) == ["GET /health HTTP/1.1", f"Host: 127.0.0.1:{origin.port}"]
            await client.close()

    run(main())


def test_a_check_of_a_closed_or_silent_origin_says_what_is_wrong() -> None:
    async def main() -> None:
        async with RawOrigin(lambda peer: peer.closed_after_data()) as origin:
            health = {"path": "/health", "timeout": 0.05}
            client = client_for({"origins": [f"http://127.0.0.1:{origin.port}"], "health": health})
            [site] = client.sites
            problem = await client.check(site, site.origins[0])
            assert problem == "its health check had no answer within 0.05 seconds"
        problem = await client.check(site, site.origins[0])
        assert problem == f"127.0.0.1:{origin.port} refused the connection"
        await client.close()

    run(main())


def test_grpc_to_an_http_origin_goes_over_http2_and_other_requests_do_not() -> None:
    async def conversation(client: OriginClient, origins: list[RawOrigin]) -> None:
        grpc = Request(
            "POST",
            "http",
            HOST,
            80,
            "/",
            Fields((("Content-Type", "application/grpc"), ("TE", "trailers"))),
            "HTTP/2.0",
        )
        assert client.pools(grpc) is not client.pools(ask())
        assert client.pools(ask()) is client.pools(ask("/b"))

    run_site(conversation, endless)
