"""Where requests go (yardstick A2, A5): what the client named counts, and no two places share an answer."""

from __future__ import annotations

import pytest

from addon.frontend.http1.request_head import MalformedRequest, RequestHead, parse
from addon.frontend.http1.request_target import (
    ForwardProxyTargets,
    GatewayTargets,
    RequestTargets,
    TunnelTargets,
    parse_host_port,
)
from cache.http.messages import host_port
from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    client_tls,
    get,
    origin_tls,
    request_head,
    run_conversation,
)
from tests.fixtures.raw_origin import HEAD, RawOrigin, answering, endless

FRESH = HEAD + b"Cache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok"
INSIDE = TunnelTargets.of("a.example", 443, "a.example")
EDGE = GatewayTargets(("http", "backend.example", 8080))


def head(line: str, *lines: str) -> RequestHead:
    return parse(request_head(f"{line} HTTP/1.1", *(lines or ("Host: a.example",))))


def refusal(destination: RequestTargets, line: str, *lines: str) -> int:
    with pytest.raises(MalformedRequest) as caught:
        destination.request(head(line, *lines))
    return caught.value.status


@pytest.mark.parametrize(
    ("target", "place", "path"),
    [
        ("http://a.example/", ("http", "a.example", 80), "/"),
        ("HTTP://A.example/", ("http", "A.example", 80), "/"),
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
def test_a_whole_uri_names_the_origin_whatever_host_says(target: str, place: tuple[str, str, int], path: str) -> None:
    asked = ForwardProxyTargets().request(head(f"GET {target}", "Host: b.example"))
    assert (asked.scheme, asked.host, asked.port) == place
    assert asked.target == path
    assert "host" not in asked.fields


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
    ],
)
def test_a_target_that_names_no_place_is_refused(target: str) -> None:
    assert refusal(ForwardProxyTargets(), f"GET {target}") == 400


def test_options_may_ask_about_the_server_as_a_whole() -> None:
    assert ForwardProxyTargets().request(head("OPTIONS http://a.example")).target == "*"
    assert INSIDE.request(head("OPTIONS *")).target == "*"


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
def test_connect_names_a_host_and_a_port(target: str) -> None:
    with pytest.raises(MalformedRequest):
        ForwardProxyTargets().tunnel_to(head(f"CONNECT {target}"))


def test_connect_leads_there_whatever_host_says() -> None:
    assert ForwardProxyTargets().tunnel_to(head("CONNECT a.example:443", "Host: b.example")) == ("a.example", 443)
    assert ForwardProxyTargets().tunnel_to(head("CONNECT [::1]:8443")) == ("::1", 8443)


@pytest.mark.parametrize("line", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_a_connect_with_content_is_refused(line: str) -> None:
    """Content would have been taken for what the client says inside the tunnel."""
    with pytest.raises(MalformedRequest):
        ForwardProxyTargets().tunnel_to(head("CONNECT a.example:443", "Host: a.example", line))


def test_no_tunnel_leads_out_of_a_tunnel_or_through_an_edge() -> None:
    for destination in (INSIDE, EDGE):
        with pytest.raises(MalformedRequest) as caught:
            destination.tunnel_to(head("CONNECT b.example:443"))
        assert caught.value.status == 405


def test_inside_a_tunnel_a_host_that_names_another_origin_stays_for_the_engine_to_see() -> None:
    assert INSIDE.request(head("GET /", "Host: b.example")).fields.get("host") == "b.example"
    asked = INSIDE.request(head("GET https://b.example/c"))
    assert (asked.host, asked.target, asked.fields.all("host")) == ("a.example", "/c", ("b.example",))


@pytest.mark.parametrize("target", ["b", "https://user@a.example/", "https://:443/", "https:///", "ftp://a.example/"])
def test_inside_a_tunnel_a_target_of_another_form_is_refused(target: str) -> None:
    assert refusal(INSIDE, f"GET {target}") == 400


def test_an_edge_is_addressed_like_an_origin() -> None:
    asked = EDGE.request(head("GET /b", "Host: a.example:81"))
    assert (asked.scheme, asked.host, asked.port, asked.target) == ("http", "a.example", 81, "/b")
    asked = EDGE.request(head("GET http://c.example/b", "Host: a.example"))
    assert (asked.host, asked.port, asked.target) == ("c.example", 80, "/b")
    assert EDGE.request(parse(b"GET / HTTP/1.0\r\n\r\n")).host == "backend.example"
    assert EDGE.mode == "reverse:http://backend.example:8080"


def test_addresses_of_ipv6_have_brackets_only_in_text() -> None:
    assert parse_host_port("[::1]:80", 443) == ("::1", 80)
    assert host_port("::1", 80) == "[::1]:80"


def test_no_two_kinds_of_connection_share_a_prefix() -> None:
    places = [
        ForwardProxyTargets(),
        INSIDE,
        TunnelTargets.of("a.example", 443, None),
        TunnelTargets.of("a.example", 443, "b.example"),
        TunnelTargets.of("a.example", 444, "a.example"),
    ]
    prefixes = [place.prefix for place in places]
    assert all(not one.startswith(other) for one in prefixes for other in prefixes if one is not other)


# ---- over a socket


def test_what_was_answered_inside_a_tunnel_is_no_answer_to_the_same_octets_outside() -> None:
    """The prefix of a tunnel, said by a client outside of any, was taken for a known head."""

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        inside = request_head("GET / HTTP/1.1", f"Host: {authority}")
        client = await front_end.tunnel(authority, client_tls())
        assert [(await client.fetch(inside)).status for _ in range(3)] == [200, 203, 203]
        client = await front_end.client()
        for name in ("127.0.0.1", ""):  # an address is no name in TLS
            response = await (await front_end.client()).fetch(f"{authority} {name}\n".encode() + inside)
            assert response.status == 400

    run_conversation(conversation, answering(FRESH), secure=origin_tls())


def test_absolute_form_wins_over_host_and_is_stored_under_its_own_name() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        response = await client.fetch(
            request_head(f"GET http://127.0.0.1:{origin.port}/a HTTP/1.1", "Host: victim.example")
        )
        assert response.status == 200
        assert b"Host: 127.0.0.1:%d\r\n" % origin.port in origin.requests[0]
        assert [entry.key for entry in front_end.entries()] == [f"http://127.0.0.1:{origin.port}/a"]
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
def test_a_host_that_differs_inside_a_tunnel_goes_forward_and_is_never_stored(target: str, host: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(f"127.0.0.1:{origin.port}", client_tls())
        for _ in range(2):
            line = f"GET {target.format(port=origin.port)} HTTP/1.1"
            response = await client.fetch(request_head(line, f"Host: {host.format(port=origin.port)}"))
            assert response.status == 200  # RFC 9110 §15.5.20: a proxy generates no 421
            assert "fwd=bypass" in (response.fields.get("cache-status") or "")
        assert len(origin.requests) == 2
        assert not front_end.entries()

    run_conversation(conversation, answering(FRESH, FRESH), answering(FRESH), secure=origin_tls())


def test_a_name_in_tls_that_differs_from_the_tunnels_is_never_stored() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        for _ in range(2):
            client = await front_end.tunnel(authority, client_tls(), "localhost")
            response = await client.fetch(request_head("GET /a HTTP/1.1", f"Host: {authority}"))
            assert response.status == 200
        assert len(origin.requests) == 2
        assert not front_end.entries()

    run_conversation(conversation, answering(FRESH), secure=origin_tls())


def test_an_unknown_method_is_forwarded_and_its_answer_is_nobodys() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        for method in ("PURGE", "BAN", "Get"):
            assert (await client.fetch(get(origin, "/a", method=method))).body == b"ok"
        assert [head.split(b" ")[0] for head in origin.requests] == [b"PURGE", b"BAN", b"Get"]
        assert not front_end.entries()

    run_conversation(conversation, endless)
