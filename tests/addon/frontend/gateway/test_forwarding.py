"""Forwarding: who the client of a request to an edge is, and a head that says no more about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.config.trusted_proxies import TrustedProxies
from addon.frontend.gateway.forwarding import Forwarding, view_prefix
from addon.frontend.http1.request_head import parse
from cache.http.client import NOBODY, Client
from cache.http.messages import Fields
from tests.addon.frontend.front_end import FRESH, FrontEndUnderTest, run_at_edge
from tests.fixtures.raw_origin import HEAD, OK, Peer, RawOrigin, answering

PROXY, CLIENT, OTHER = "10.0.0.1", "203.0.113.7", "203.0.113.8"
FORWARDING = Forwarding(TrustedProxies(["10.0.0.0/8", "::1"]), NOBODY)
TRUSTED = {"trusted_proxies": ["127.0.0.1"]}


def head(*lines: str, target: str = "/") -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: a.example", *lines, "", ""]).encode("latin-1")


def client_of(peer: str, *lines: str) -> Client:
    return FORWARDING.from_head(head(*lines), peer)[1]


# ---- heads


SAID = (
    "X-Forwarded-For: 203.0.113.7",
    "x-forwarded-proto:https",
    "X-Forwarded-Host: shop.example",
    "X-FORWARDED-PORT: 443",
    "X-Forwarded-Prefix: /a",
    "X-Real-IP: 203.0.113.7",
    "Forwarded: for=203.0.113.7",
)


def test_forwarded_fields_are_taken_out_of_a_head() -> None:
    assert FORWARDING.from_head(head("Accept: */*", *SAID, "Via: 1.1 a"), PROXY)[0] == head("Accept: */*", "Via: 1.1 a")
    assert FORWARDING.from_head(head(*SAID), CLIENT)[0] == head()


@pytest.mark.parametrize(
    "line",
    ["X_Forwarded_For: 1.2.3.4", "X-Forwarded-For : 1.2.3.4", "X-Forwarded-For: a\x00", "Xx-Forwarded-For: 1.2.3.4"],
)
def test_a_line_that_is_no_such_field_stays(line: str) -> None:
    assert FORWARDING.from_head(head(line), PROXY)[0] == head(line)


def test_a_folded_line_stays_malformed() -> None:
    kept, _ = FORWARDING.from_head(head("X-Forwarded-For: 1.2.3.4", " 5.6.7.8"), PROXY)
    assert b"\r\n 5.6.7.8\r\n" in kept


@given(st.lists(st.sampled_from([*SAID, "Accept: */*", "A: b", "Cookie: forwarded: a"]), max_size=8))
def test_both_protocols_have_the_same_client(lines: list[str]) -> None:
    whole = head(*lines)
    kept, client = FORWARDING.from_head(whole, PROXY)
    assert FORWARDING.from_fields(parse(whole).fields, PROXY) == (parse(kept).fields, client)


# ---- clients


def test_a_client_that_is_not_trusted_is_what_its_connection_says() -> None:
    client = client_of(CLIENT, "X-Forwarded-For: 1.2.3.4", "X-Real-IP: 1.2.3.4", "X-Forwarded-Proto: https")
    assert client == client_of(CLIENT) == Client(CLIENT, forwarded_for=CLIENT, forwarded=f"for={CLIENT}")
    assert view_prefix(client) == b""


def test_a_trusted_proxy_is_asked_for_its_client() -> None:
    client = client_of(PROXY, f"X-Forwarded-For: {CLIENT}", "X-Forwarded-Proto: https")
    assert (client.address, client.scheme, client.forwarded_for) == (CLIENT, "https", f"{CLIENT}, {PROXY}")
    assert client.forwarded == f"for={CLIENT}, for={PROXY}"


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (("X-Forwarded-For: 1.2.3.4, 203.0.113.7, 10.0.0.9",), CLIENT),
        (("X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 203.0.113.7"), CLIENT),
        (("X-Forwarded-For: 10.0.0.2, 10.0.0.3",), "10.0.0.2"),
        (("X-Forwarded-For: unknown",), PROXY),
        (("X-Forwarded-For: nonsense",), PROXY),
        (('Forwarded: for="[2001:db8::1]:4711";proto=https',), "2001:db8::1"),
        (("X-Real-IP: 203.0.113.7",), CLIENT),
        (("X-Real-IP: 1.2.3.4", "X-Forwarded-For: 203.0.113.7"), CLIENT),
        ((), PROXY),
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxy(lines: tuple[str, ...], address: str) -> None:
    assert client_of(PROXY, *lines).address == address


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (("X-Forwarded-For: 1.2.3.4, unknown",), PROXY),
        (("X-Forwarded-For: 1.2.3.4, nonsense",), PROXY),
        (("X-Forwarded-For: 1.2.3.4, unknown, 10.0.0.9",), "10.0.0.9"),
        (("X-Forwarded-For: 1.2.3.4, /run/app.sock:1, 10.0.0.9, 10.0.0.8",), "10.0.0.9"),
        (("X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: unix:"), PROXY),
        (("Forwarded: for=1.2.3.4, for=unknown",), PROXY),
        (("Forwarded: for=1.2.3.4, for=_hidden",), PROXY),
        (("Forwarded: for=1.2.3.4, proto=https, for=10.0.0.9",), "10.0.0.9"),
        (('Forwarded: for="1.2.3.4, for=203.0.113.7', "X-Real-IP: 1.2.3.4"), PROXY),
        (("Forwarded: a b, for=203.0.113.7", "X-Real-IP: 1.2.3.4"), CLIENT),
    ],
)
def test_nothing_in_front_of_an_unknown_address_is_believed(lines: tuple[str, ...], address: str) -> None:
    """A client may have written it itself: the proxy that has sent the request stands for it."""
    assert client_of(PROXY, *lines).address == address


def test_the_origin_is_told_where_an_address_was_not_known() -> None:
    client = client_of(PROXY, "X-Forwarded-For: 1.2.3.4, nonsense")
    assert client.forwarded_for == f"1.2.3.4, unknown, {PROXY}"
    assert client.forwarded == f"for=1.2.3.4, for=unknown, for={PROXY}"


def test_the_scheme_is_the_one_by_which_a_trusted_proxy_was_asked() -> None:
    lines = "Forwarded: for=1.2.3.4;proto=https, for=203.0.113.7;proto=http, for=10.0.0.9;proto=https"
    assert client_of(PROXY, lines).scheme == "http"


def test_a_forwarded_field_of_the_clients_own_is_dropped_behind_a_proxy_that_writes_another_one() -> None:
    client = client_of(PROXY, f"X-Forwarded-For: {CLIENT}", "Forwarded: for=1.2.3.4;host=evil.example")
    assert (client.forwarded, client.told) == (f"for={CLIENT}, for={PROXY}", ())


def test_a_peer_without_an_address_is_not_believed() -> None:
    client = FORWARDING.from_fields(Fields((("X-Forwarded-For", CLIENT),)), "-")[1]
    assert client.address == client.forwarded_for == ""


# ---- conversations


async def last_values(peer: Peer) -> None:
    """Answer every request with what it says about the client."""
    while True:
        lines = (await peer.request()).decode("latin-1").split("\r\n")
        said = [line for line in lines if line.lower().startswith(("x-", "forwarded", "cdn-loop"))]
        content = "\n".join(said).encode("latin-1")
        await peer.send(HEAD + b"Cache-Control: max-age=60\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))


def test_equal_requests_of_several_clients_have_one_hot_response() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await edge.client()
        for number in range(20):
            lines = f"X-Forwarded-For: 203.0.113.{number}", "X-Forwarded-Proto: https"
            assert (await client.fetch(head(*lines))).status == (203 if number else 200)
        assert len(origin.requests) == 1
        assert len(edge.fast_path.hot) == 1

    run_at_edge(conversation, answering(FRESH), **TRUSTED)


def test_the_scheme_of_the_client_is_part_of_the_key() -> None:
    async def conversation(edge: FrontEndUnderTest, _: RawOrigin) -> None:
        client = await edge.client()
        for scheme in ("http", "https", "https", "http"):
            response = await client.fetch(head(f"X-Forwarded-Proto: {scheme}"))
            assert f"X-Forwarded-Proto: {scheme}\n" in response.body.decode()
        assert sorted(entry.key for entry in edge.entries()) == ["http://a.example/", "https://a.example/"]

    run_at_edge(conversation, last_values, **TRUSTED)


def test_what_a_trusted_proxy_says_about_the_host_is_kept_apart() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await edge.client()
        for _ in range(2):
            for line in (
                "X-Forwarded-Host: evil.example",
                "X-Forwarded-Prefix: /evil",
                "X-Forwarded-Port: 444",
                f"Forwarded: for={CLIENT};host=evil.example",
                "Accept: */*",
            ):
                content = (await client.fetch(head(line))).body.decode()
                assert ("evil" in content or "444" in content) == (not line.startswith("Accept"))
        assert len(origin.requests) == 5
        assert {entry.key for entry in edge.entries()} == {"http://a.example/"}

    run_at_edge(conversation, last_values, **TRUSTED)


@pytest.mark.row("EDGE-01")
def test_every_miss_and_every_validation_names_its_own_client() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await edge.client()
        for target in ("/a", "/b", "/c"):
            await client.fetch(head(f"X-Forwarded-For: 203.0.113.{ord(target[1])}", target=target))
        for number in range(4):
            await client.fetch(head(f"X-Forwarded-For: 198.51.100.{number}", target="/validated"))
        named = [
            request.decode("latin-1").partition("X-Forwarded-For: ")[2].partition(", 127.0.0.1\r\n")[0]
            for request in origin.requests
        ]
        assert named[:3] == ["203.0.113.97", "203.0.113.98", "203.0.113.99"]
        assert named[3:] == [f"198.51.100.{number}" for number in range(4)]

    async def validated(peer: Peer) -> None:
        while True:
            request = await peer.request()
            if b"If-None-Match" in request:
                await peer.send(
                    b'HTTP/1.1 304 Not Modified\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nETag: "1"\r\n\r\n'
                )
            else:
                await peer.send(HEAD + b'Cache-Control: no-cache\r\nETag: "1"\r\nContent-Length: 2\r\n\r\nok')

    run_at_edge(conversation, validated, **TRUSTED)


def test_uploads_and_requests_past_the_cache_name_their_client() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        lines = f"Host: a.example\r\nX-Forwarded-For: {CLIENT}\r\nForwarded: for=1.2.3.4\r\n".encode()
        for beginning in (
            b"POST / HTTP/1.1\r\nContent-Length: 0\r\n",
            b"DELETE / HTTP/1.1\r\n",
            b"GET /?a HTTP/1.0\r\n",
        ):
            await (await edge.client()).fetch(beginning + lines + b"\r\n")
        for request in origin.requests:
            assert request.count(b"\r\nX-Forwarded-For: 203.0.113.7, 127.0.0.1\r\n") == 1
            assert b"1.2.3.4" not in request

    run_at_edge(conversation, answering(OK), **TRUSTED)


def test_a_response_that_varies_by_the_client_answers_nobody_else() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await edge.client()
        for _ in range(3):
            assert (await client.fetch(head())).status == 200
        assert len(origin.requests) == 3

    varying = HEAD + b"Cache-Control: max-age=60\r\nVary: X-Forwarded-For\r\nContent-Length: 2\r\n\r\nok"
    run_at_edge(conversation, answering(varying))


def test_a_client_cannot_drop_a_field_about_itself() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        await (await edge.client()).fetch(head("Connection: X-Forwarded-For, X-Real-IP", "X-Forwarded-For: 1.2.3.4"))
        assert b"\r\nX-Forwarded-For: 127.0.0.1\r\n" in origin.requests[0]
        assert b"\r\nX-Real-IP: 127.0.0.1\r\n" in origin.requests[0]

    run_at_edge(conversation, answering(OK))


def test_only_the_chosen_fields_are_sent() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        await (await edge.client()).fetch(head("X-Forwarded-For: 1.2.3.4"))
        assert b"x-forwarded" not in origin.requests[0].lower()
        assert b"\r\nForwarded: for=127.0.0.1;host=a.example;proto=http\r\n" in origin.requests[0]

    run_at_edge(conversation, answering(OK), forwarded_fields=["forwarded"])
