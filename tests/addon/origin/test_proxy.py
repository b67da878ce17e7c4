"""Requests through an upstream proxy, and the choice of the proxy."""

from __future__ import annotations

import pytest

from addon.config.settings import Settings
from addon.origin import FailureKind, OriginClient, OriginFailure, OriginOptions
from addon.origin.proxy import Route, UpstreamProxies, UpstreamProxy, warn_once
from cache.http.messages import Fields, Request
from tests.fixtures.origin_client import get_securely, run_conversation, whole
from tests.fixtures.raw_origin import OK, SHORT_TIMEOUT, Peer, RawOrigin, Script, answering
from tests.fixtures.throwaway_ca import ThrowawayCA

pytestmark = pytest.mark.usefixtures("each_loop")

VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy", "REQUEST_METHOD")


@pytest.fixture(autouse=True)
def no_proxy_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> ThrowawayCA:
    return ThrowawayCA(tmp_path_factory.mktemp("ca"), "throwaway")


def ask_through(request: Request, script: Script, userinfo: str = "") -> tuple[bytes, list[bytes]]:
    """Send a request through a proxy that follows a script; return the body and the requests at the proxy."""

    async def conversation(_: OriginClient, proxy: RawOrigin) -> tuple[bytes, list[bytes]]:
        client = OriginClient(OriginOptions(proxy=f"http://{userinfo}127.0.0.1:{proxy.port}"))
        try:
            return await whole(await client.fetch(request)), proxy.requests
        finally:
            await client.close()

    return run_conversation(conversation, script)


PLAIN = Request("GET", "http", "origin.test", 80, "/a?b", Fields((("Accept", "x/y"),)))


def test_an_http_request_goes_to_the_proxy_in_absolute_form() -> None:
    body, requests = ask_through(PLAIN, answering(OK))
    assert body == b"ok"
    assert requests == [b"GET http://origin.test/a?b HTTP/1.1\r\nHost: origin.test\r\nAccept: x/y\r\n\r\n"]


def test_the_server_wide_target_has_no_path_in_absolute_form() -> None:
    _, requests = ask_through(Request("OPTIONS", "http", "origin.test", 8080, "*"), answering(OK))
    assert requests == [b"OPTIONS http://origin.test:8080 HTTP/1.1\r\nHost: origin.test:8080\r\n\r\n"]


def test_the_proxy_gets_only_the_credentials_of_its_url() -> None:
    fields = Fields((("Proxy-Authorization", "Basic another"),))
    _, requests = ask_through(
        Request("GET", "http", "origin.test", 80, "/", fields), answering(OK), "Aladdin:open%20sesame@"
    )
    lines = requests[0].split(b"\r\n")
    assert [line for line in lines if line.startswith(b"Proxy-")] == [
        b"Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    ]


def tunnel_to(port: int, reply: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> Script:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(reply)
        await peer.join(port)

    return script


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 Connection established\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 204 Open\r\n\r\n",
    ],
)
@pytest.mark.parametrize("eager", [False, True])
def test_tls_goes_through_a_tunnel_that_is_reused(reply: bytes, eager: bool, ca: ThrowawayCA) -> None:
    async def conversation(_client: OriginClient, origin: RawOrigin) -> None:
        async with RawOrigin(tunnel_to(origin.port, reply)) as proxy:
            proxy_url = f"http://user:pass@127.0.0.1:{proxy.port}"
            client = OriginClient(OriginOptions(proxy=proxy_url, ca_files=(str(ca.file),)))
            for _ in range(2):
                assert await whole(await client.fetch(get_securely(origin))) == b"ok"
            await client.close()
            name = f"localhost:{origin.port}".encode()
            assert proxy.requests == [
                b"CONNECT %b HTTP/1.1\r\nHost: %b\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n" % (name, name)
            ]
            assert [b"Proxy-Authorization" in request for request in origin.requests] == [False, False]

    run_conversation(conversation, answering(OK, OK), tls=ca.server_context("localhost"), eager=eager)


def test_the_certificate_is_verified_for_the_name_without_trailing_dot(ca: ThrowawayCA) -> None:
    async def conversation(_: OriginClient, origin: RawOrigin) -> bytes:
        async with RawOrigin(tunnel_to(origin.port)) as proxy:
            client = OriginClient(OriginOptions(proxy=f"127.0.0.1:{proxy.port}", ca_files=(str(ca.file),)))
            body = await whole(await client.fetch(get_securely(origin, "origin.test.")))
            await client.close()
            return body

    assert run_conversation(conversation, answering(OK), tls=ca.server_context("origin.test")) == b"ok"


def test_the_certificate_inside_the_tunnel_must_be_the_origins(ca: ThrowawayCA) -> None:
    async def conversation(_: OriginClient, origin: RawOrigin) -> OriginFailure:
        async with RawOrigin(tunnel_to(origin.port)) as proxy:
            client = OriginClient(OriginOptions(proxy=f"127.0.0.1:{proxy.port}", ca_files=(str(ca.file),)))
            with pytest.raises(OriginFailure) as caught:
                await client.fetch(get_securely(origin))
            await client.close()
            return caught.value

    failure = run_conversation(conversation, answering(OK), tls=ca.server_context("proxy.test"))
    assert (failure.kind, failure.disconnected) == (FailureKind.TLS_CERTIFICATE_ERROR, False)


SECURE = Request("GET", "https", "origin.test", 443, "/")


@pytest.mark.parametrize(
    ("reply", "kind", "disconnected", "expected"),
    [
        (b"HTTP/1.1 407 Who are you\r\nContent-Length: 9\r\n\r\n", "proxy_configuration_error", False, "407 Who are"),
        (b"HTTP/1.1 403 No\r\n\r\n", "proxy_configuration_error", False, "answered 403 No to CONNECT origin.test:443"),
        (b"HTTP/1.1 502 Gone\r\nContent-Length: 0\r\n\r\n", "destination_unavailable", True, "answered 502 Gone"),
        (b"HTTP/1.1 200 OK\r\n\r\nspeaks first", "http_protocol_error", False, "before TLS began"),
        (b"nonsense", "http_protocol_error", False, "does not speak HTTP"),
        (b"", "connection_terminated", True, "closed the connection"),
    ],
)
def test_a_proxy_that_refuses_connect_is_a_failure_with_its_reason(
    reply: bytes, kind: str, disconnected: bool, expected: str
) -> None:
    with pytest.raises(OriginFailure, match=expected) as caught:
        ask_through(SECURE, answering(reply, then_close=True))
    assert (caught.value.kind, caught.value.disconnected) == (kind, disconnected)
    assert caught.value.detail.startswith("The upstream proxy 127.0.0.1:")


def test_a_proxy_that_answers_connect_too_slowly_is_a_connection_timeout() -> None:
    async def conversation(_: OriginClient, proxy: RawOrigin) -> OriginFailure:
        client = OriginClient(OriginOptions(proxy=f"http://127.0.0.1:{proxy.port}", connect_timeout=SHORT_TIMEOUT))
        with pytest.raises(OriginFailure) as caught:
            await client.fetch(SECURE)
        await client.close()
        return caught.value

    failure = run_conversation(conversation, answering(b"HTTP/1.1 200"))
    assert (failure.kind, failure.disconnected) == (FailureKind.CONNECTION_TIMEOUT, True)


def test_messages_name_an_upstream_proxy_in_the_case_of_their_place() -> None:
    route = Route("http", "a.test", 80, UpstreamProxy("proxy.test", 3128))
    assert route.where == "the upstream proxy proxy.test:3128"
    assert route.subject == "The upstream proxy proxy.test:3128"
    assert Route("http", "a.test", 80).where == Route("http", "a.test", 80).subject == "a.test:80"


# The choice of the proxy


@pytest.mark.parametrize(
    ("environment", "setting", "scheme", "proxied"),
    [
        ({}, "", "http", None),
        ({"HTTP_PROXY": "http://a.test:1"}, "", "http", "a.test"),
        ({"http_proxy": "a.test:1"}, "", "http", "a.test"),
        ({"HTTP_PROXY": "http://a.test:1"}, "", "https", None),
        ({"HTTPS_PROXY": "http://a.test:1"}, "", "https", "a.test"),
        ({"HTTPS_PROXY": "http://a.test:1"}, "none", "https", None),
        ({"HTTPS_PROXY": "http://a.test:1"}, "http://b.test:2", "https", "b.test"),
        ({"HTTP_PROXY": "http://a.test:1", "NO_PROXY": "origin.test"}, "", "http", None),
        ({"HTTP_PROXY": "http://a.test:1", "NO_PROXY": ".test"}, "", "http", None),
        ({"HTTP_PROXY": "http://a.test:1", "NO_PROXY": "origin.test:8080"}, "", "http", None),
        ({"HTTP_PROXY": "http://a.test:1", "NO_PROXY": "origin.test:81"}, "", "http", "a.test"),
        ({"HTTP_PROXY": "http://a.test:1", "NO_PROXY": "x.test, *"}, "", "http", "a.test"),
        ({"HTTP_PROXY": "http://a.test:1", "NO_PROXY": "*"}, "", "http", None),
        ({"NO_PROXY": "origin.test"}, "http://b.test:2", "http", None),
    ],
)
def test_the_setting_and_the_environment_choose_the_proxy(
    environment: dict[str, str], setting: str, scheme: str, proxied: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    proxy = UpstreamProxies(setting).route(scheme, "origin.test", 8080).proxy
    assert (proxy.host if proxy else None) == proxied


@pytest.mark.parametrize(
    ("listen", "proxy_url", "proxied"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080", None),
        ("127.0.0.1:8080", "http://localhost:8080", None),
        ("127.0.0.1:8080", "http://127.0.0.1:8081", "127.0.0.1"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080", None),
        ("[::]:8080", "http://[::1]:8080", None),
        ("[::1]:8080", "http://[::1]:8080", None),
        ("proxy.test:8080", "http://PROXY.test:8080", None),
    ],
)
def test_a_proxy_variable_that_names_this_proxy_is_ignored(
    listen: str, proxy_url: str, proxied: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy_url)
    monkeypatch.setenv("HTTPS_PROXY", proxy_url)
    warn_once.cache_clear()
    own = Settings.model_validate({"listen": listen}).origin_options().own_addresses
    for _ in range(2):
        proxy = UpstreamProxies("", own).route("https", "origin.test", 443).proxy
        assert (proxy.host if proxy else None) == proxied
    warning = "the environment's HTTP_PROXY and HTTPS_PROXY would lead back to this proxy: origins are asked directly"
    assert caplog.messages == ([] if proxied else [warning])


def test_no_proxy_may_contain_an_ipv6_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "::1")
    assert UpstreamProxies("http://b.test").route("http", "::1", 80).proxy is None


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://a.test", UpstreamProxy("a.test", 80)),
        ("http://a.test:3128/", UpstreamProxy("a.test", 3128)),
        ("a.test:3128", UpstreamProxy("a.test", 3128)),
        ("http://[::1]:3128", UpstreamProxy("::1", 3128)),
        ("http://u@a.test", UpstreamProxy("a.test", 80, "Basic dTo=")),
    ],
)
def test_a_proxy_url_names_host_and_port(url: str, proxy: UpstreamProxy) -> None:
    assert UpstreamProxy.from_url(url) == proxy


@pytest.mark.parametrize(
    "url", ["socks5://a.test", "https://a.test", "http://", "http://a.test:x", "http://a.test/b", "http://[a"]
)
def test_an_unsupported_proxy_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"upstream proxy '.*': expected http://host:port"):
        OriginClient(OriginOptions(proxy=url))


def test_the_error_does_not_show_the_proxys_password() -> None:
    with pytest.raises(ValueError, match=r"a\.test") as caught:
        OriginClient(OriginOptions(proxy="socks5://user:secret@a.test"))
    assert "secret" not in str(caught.value)
