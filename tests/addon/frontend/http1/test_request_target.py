"""Request targets: where a request goes, and under which URL its response is stored.

See docs/decisions.md, "A request goes where its target says".
"""

from __future__ import annotations

import pytest

from addon.config.settings import Settings
from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.request_head import MalformedRequest, RequestHead, parse
from addon.frontend.http1.request_target import (
    ForwardProxyTargets,
    GatewayTargets,
    RequestTargets,
    TunnelTargets,
    parse_host_port,
)
from cache.http.messages import host_port
from cache.rules.key import primary_key
from cache.rules.selection import is_misaddressed
from tests.addon.frontend.front_end import (
    FRESH,
    FrontEndUnderTest,
    authority_of,
    client_tls,
    get,
    get_in_tunnel,
    origin_tls,
    request_head,
    run_conversation,
)
from tests.fixtures.raw_origin import RawOrigin, answering, endless

TUNNEL = TunnelTargets.of("https", "a.example", 443, "a.example")
GATEWAY = GatewayTargets(Sites(Settings(edge="http://backend.example:8080").sites))


def head(line: str, *lines: str) -> RequestHead:
    return parse(request_head(f"{line} HTTP/1.1", *(lines or ("Host: a.example",))))


def refusal(targets: RequestTargets, line: str, *lines: str) -> int:
    """Return the status of the response to a request with a refused target."""
    with pytest.raises(MalformedRequest) as caught:
        targets.request(head(line, *lines))
    return caught.value.status


@pytest.mark.parametrize(
    ("target", "expected", "path"),
    [
        ("http://a.example/", ("http", "a.example", 80), "/"),
        ("HTTP://A.example./", ("http", "a.example", 80), "/"),
        ("http://a.example", ("http", "a.example", 80), "/"),
        ("http://a.example?b", ("http", "a.example", 80), "/?b"),
        ("http://a.example:/", ("http", "a.example", 80), "/"),
        ("http://a.example:8080/b?c", ("http", "a.example", 8080), "/b?c"),
        ("https://a.example/", ("https", "a.example", 443), "/"),
        ("http://[::1]:8080/", ("http", "::1", 8080), "/"),
        ("http://a.example//b/../%2e?", ("http", "a.example", 80), "//b/../%2e?"),
        ("http://a.example/http://b.example/", ("http", "a.example", 80), "/http://b.example/"),
    ],
)
def test_an_absolute_target_overrules_host(target: str, expected: tuple[str, str, int], path: str) -> None:
    request = ForwardProxyTargets().request(head(f"GET {target}", "Host: b.example"))
    assert (request.scheme, request.host, request.port) == expected
    assert request.target == path
    assert "host" not in request.fields


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "*",
        "a.example:80",
        "ftp://a.example/",
        "file:///etc/passwd",
        "http:/a.example/",
        "http://",
        "http:///",
        "http://:80/",
        "http://user@a.example/",
        "http://user:password@a.example/",
        "http://a.example@b.example/",
        "http://a.example\\@b.example/",
        "http://a.example:0/",
        "http://a.example:65536/",
        "http://a.example:123456/",
        "http://a.example:80:80/",
        "http://a.example:b/",
        "http://a.example:-1/",
        "http://[::1/",
        "http://::1/",
        "http://[a.example]/",
        "http://[::::1]/",
        "http://[1.2.3.4]/",
        "http://[:.]:80/",
        "http://./",
        "http://a\\b.example/",
        "http://a b.example/",
        "http://\xc3\xa9.example/",
        'http://a".example/',
        "http://a%zz.example/",
    ],
)
def test_a_target_without_a_valid_authority_is_refused(target: str) -> None:
    assert refusal(ForwardProxyTargets(), f"GET {target}") == 400


def test_options_may_be_for_the_whole_server() -> None:
    assert ForwardProxyTargets().request(head("OPTIONS http://a.example")).target == "*"
    assert TUNNEL.request(head("OPTIONS *")).target == "*"


@pytest.mark.parametrize(
    "target",
    [
        "a.example",
        "a.example:",
        "a.example:x",
        "a.example:0",
        "a.example:65536",
        "a.example:000443",
        "a.example:443/",
        ":443",
        "user@a.example:443",
        "http://a.example:443",
        "[::1]",
        "::1:443",
        "[::1:443",
        "/",
        "*",
    ],
)
def test_a_connect_without_a_host_and_a_port_is_refused(target: str) -> None:
    with pytest.raises(MalformedRequest):
        ForwardProxyTargets().tunnel_to(head(f"CONNECT {target}"))


def test_the_target_of_connect_overrules_host() -> None:
    assert ForwardProxyTargets().tunnel_to(head("CONNECT a.example:443", "Host: b.example")) == ("a.example", 443)
    assert ForwardProxyTargets().tunnel_to(head("CONNECT [::1]:8443")) == ("::1", 8443)


@pytest.mark.parametrize("line", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_a_connect_with_content_is_refused(line: str) -> None:
    """The content would be taken for the first bytes in the tunnel."""
    with pytest.raises(MalformedRequest):
        ForwardProxyTargets().tunnel_to(head("CONNECT a.example:443", "Host: a.example", line))


def test_connect_in_a_tunnel_or_to_a_gateway_is_refused() -> None:
    for targets in (TUNNEL, GATEWAY):
        with pytest.raises(MalformedRequest) as caught:
            targets.tunnel_to(head("CONNECT b.example:443"))
        assert caught.value.status == 405


@pytest.mark.parametrize("host", ["A.example", "a.example.", "a.example:443", "a.EXAMPLE:0443"])
def test_in_a_tunnel_the_origin_gets_one_spelling_of_its_name(host: str) -> None:
    """Regression: a response that shows the spelling of one client was stored for all."""
    assert TUNNEL.request(head("GET /", f"Host: {host}")).fields.all("host") == ("a.example",)
    assert TUNNEL.request(head(f"GET https://{host}/", "Host: b")).fields.all("host") == ("a.example",)


def test_in_a_tunnel_the_host_of_another_origin_is_kept_for_the_engine() -> None:
    assert TUNNEL.request(head("GET /", "Host: b.example")).fields.get("host") == "b.example"
    request = TUNNEL.request(head("GET https://b.example/c"))
    assert (request.host, request.target, request.fields.all("host")) == ("a.example", "/c", ("b.example",))


@pytest.mark.parametrize("target", ["b", "https://user@a.example/", "https://:443/", "https:///", "ftp://a.example/"])
def test_in_a_tunnel_a_target_of_another_form_is_refused(target: str) -> None:
    assert refusal(TUNNEL, f"GET {target}") == 400


def test_requests_to_a_gateway_have_the_form_of_requests_to_an_origin() -> None:
    request = GATEWAY.request(head("GET /b", "Host: a.example:81"))
    assert (request.scheme, request.host, request.port, request.target) == ("http", "a.example", 81, "/b")
    request = GATEWAY.request(head("GET http://c.example/b", "Host: a.example"))
    assert (request.host, request.port, request.target) == ("c.example", 80, "/b")
    assert GATEWAY.request(parse(b"GET / HTTP/1.0\r\n\r\n")).host == "backend.example"


def test_ipv6_addresses_have_brackets_only_in_text() -> None:
    assert parse_host_port("[::1]:80", 443) == ("::1", 80)
    assert host_port("::1", 80) == "[::1]:80"


def test_no_prefix_of_a_connection_is_the_start_of_another() -> None:
    kinds = [
        ForwardProxyTargets(),
        TUNNEL,
        TunnelTargets.of("https", "a.example", 443, None),
        TunnelTargets.of("https", "a.example", 443, "b.example"),
        TunnelTargets.of("https", "a.example", 444, "a.example"),
        TunnelTargets.of("http", "a.example", 443, None),
    ]
    prefixes = [kind.prefix for kind in kinds]
    assert all(not one.startswith(other) for one in prefixes for other in prefixes if one is not other)


# ---- over a socket


def test_a_client_cannot_write_the_prefix_of_a_tunnel_to_get_its_hot_responses() -> None:
    """Regression: the same bytes, sent outside a tunnel, were taken for a known request head."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        request = get_in_tunnel(origin)
        client = await front_end.tunnel(authority_of(origin), client_tls())
        assert [(await client.fetch(request)).status for _ in range(3)] == [200, 203, 203]
        client = await front_end.client()
        for name in ("127.0.0.1", ""):  # TLS has no server names for addresses
            prefix = f"{authority_of(origin)} {name}\n".encode()
            assert (await (await front_end.client()).fetch(prefix + request)).status == 400

    run_conversation(conversation, answering(FRESH), secure=origin_tls())


def test_an_absolute_target_overrules_host_in_the_key_too() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        url = f"http://{authority_of(origin)}/a"
        response = await client.fetch(request_head(f"GET {url} HTTP/1.1", "Host: victim.example"))
        assert response.status == 200
        assert b"Host: %b\r\n" % authority_of(origin).encode() in origin.requests[0]
        assert [entry.key for entry in front_end.entries()] == [url]
        assert (await client.fetch(get(origin, "/a"))).status == 203

    run_conversation(conversation, answering(FRESH))


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("/a", "victim.example"),
        ("/a", "127.0.0.1:1"),
        ("/a", "localhost:{port}"),
        ("https://victim.example/a", "127.0.0.1:{port}"),
        ("https://victim.example/a", "victim.example"),
        ("http://victim.example:{port}/a", "127.0.0.1:{port}"),
        ("/a", ""),
    ],
)
def test_a_request_for_another_host_than_the_tunnels_is_forwarded_and_not_stored(target: str, host: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(authority_of(origin), client_tls())
        for _ in range(2):
            line = f"GET {target.format(port=origin.port)} HTTP/1.1"
            response = await client.fetch(request_head(line, f"Host: {host.format(port=origin.port)}"))
            assert response.status == 200  # RFC 9110 §15.5.20: a proxy generates no 421
            assert "fwd=bypass" in (response.fields.get("cache-status") or "")
        assert len(origin.requests) == 2
        assert not front_end.entries()

    run_conversation(conversation, answering(FRESH, FRESH), answering(FRESH), secure=origin_tls())


def test_a_response_is_not_stored_if_the_tls_server_name_is_not_the_tunnels() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        for _ in range(2):
            client = await front_end.tunnel(authority_of(origin), client_tls(), "localhost")
            response = await client.fetch(get_in_tunnel(origin, "/a"))
            assert response.status == 200
        assert len(origin.requests) == 2
        assert not front_end.entries()

    run_conversation(conversation, answering(FRESH), secure=origin_tls())


def test_an_unknown_method_is_forwarded_and_its_response_is_not_stored() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for method in ("PURGE", "BAN", "Get"):
            assert (await client.fetch(get(origin, "/a", method=method))).body == b"ok"
        assert [head.split(b" ")[0] for head in origin.requests] == [b"PURGE", b"BAN", b"Get"]
        assert not front_end.entries()

    run_conversation(conversation, endless)


@pytest.mark.row("KEY-02", "KEY-06")
@pytest.mark.parametrize(
    "authority", ["edge.test", "EDGE.TEST", "edge.test.", "Edge.test..", "edge.test:80", "edge.test:080", "edge.test:"]
)
def test_every_spelling_of_a_host_becomes_the_one_of_the_key(authority: str) -> None:
    for request in (
        GATEWAY.request(head("GET /", f"Host: {authority}")),
        GATEWAY.request(head(f"GET http://{authority}/", "Host: other.test")),
        ForwardProxyTargets().request(head(f"GET http://{authority}/", "Host: other.test")),
    ):
        assert request.authority == "edge.test"
        assert primary_key(request) == "http://edge.test/"
        assert "host" not in request.fields


@pytest.mark.row("KEY-07")
@pytest.mark.parametrize("host", ["a.example", "A.Example", "a.example.", "a.example:443", "A.EXAMPLE.:0443"])
def test_every_spelling_of_the_host_of_a_tunnel_is_that_host(host: str) -> None:
    request = TUNNEL.request(head("GET /", f"Host: {host}"))
    assert not is_misaddressed(request)
    assert request.authority == "a.example"


def test_hosts_that_may_differ_stay_apart() -> None:
    hosts = (
        "a.example",
        "a_.example",
        "%61.example",
        "xn--a.example",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
    )
    requests = [ForwardProxyTargets().request(head(f"GET http://{host}/", "Host: a")) for host in hosts]
    assert [request.authority for request in requests] == list(hosts)
    assert len({primary_key(request) for request in requests}) == len(hosts)
