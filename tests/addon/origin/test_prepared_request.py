"""A prepared request is sent with the same bytes as any other, over either protocol."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from addon.origin.connection import OriginConnection
from addon.origin.http2.connection import Http2Connection
from addon.origin.http2.request_fields import request_block
from addon.origin.options import OriginOptions
from addon.origin.prepared_request import OpenRequest
from addon.origin.proxy import Route, UpstreamProxy
from addon.origin.request_head import request_head
from cache.http.client import NOBODY, Client
from cache.http.messages import Fields, Request

OPTIONS = OriginOptions(proxy="none")
_TARGETS = st.text(st.sampled_from("ab/?=%\xe9"), max_size=300).map(lambda text: f"/{text}")
_FIELDS = st.lists(
    st.sampled_from([("Host", "a.example"), ("A", "*/*"), ("TE", "trailers"), ("X", "/a")]),
    max_size=4,
    unique=True,
)


def head_of(request: Request) -> bytes:
    return request_head(request, Route("https", "a.example", 443))


async def connections() -> tuple[OriginConnection, Http2Connection]:
    return OriginConnection(OPTIONS), Http2Connection(OPTIONS)


@given(_TARGETS, _TARGETS, _FIELDS, st.sampled_from([None, NOBODY, Client("2001:db8::1", forwarded_for="2001:db8::1")]))
def test_a_request_for_another_target_and_client_has_the_bytes_of_any_other(
    target: str, other: str, lines: list[tuple[str, str]], client: Client | None
) -> None:
    http1, http2 = asyncio.run(connections())
    first, second = (Request("GET", "https", "a.example", 443, each, Fields(tuple(lines))) for each in (target, other))
    second = second.with_client(client)
    prepared = OpenRequest(first, head_of(first), "https")
    assert prepared.bytes_for(http1, second) == head_of(second)
    assert prepared.bytes_for(http2, second) == request_block(second, "https")


def test_a_request_through_another_proxy_has_the_absolute_form() -> None:
    http1, _ = asyncio.run(connections())
    route = Route("http", "a.example", 80, UpstreamProxy("proxy.example", 3128, ""))
    request = Request("GET", "http", "a.example", 80, "/", Fields((("Accept", "*/*"),)))
    prepared = OpenRequest(request, request_head(request, route), "http")
    assert prepared.bytes_for(http1, request) == request_head(request, route)


def test_a_site_with_another_host_and_a_prefix_names_the_url_of_the_client() -> None:
    http1, http2 = asyncio.run(connections())
    route = Route("https", "b.example", 443, prefix="/app", host_header="internal.example:8443")
    request = Request("GET", "https", "a.example", 443, "/a", client=Client("203.0.113.7", forwarded="for=203.0.113.7"))
    first = Request("GET", "https", "a.example", 443, "/first")
    prepared = OpenRequest(route.applied(first), request_head(route.applied(first), route), "https", route.prefix)
    sent = route.applied(request)
    assert prepared.bytes_for(http1, request) == request_head(sent, route)
    assert prepared.bytes_for(http2, request) == request_block(sent, "https")
    head = request_head(sent, route).decode("ascii")
    assert head.startswith("GET /app/a HTTP/1.1\r\nHost: internal.example:8443\r\n")
    assert "\r\nX-Forwarded-Host: a.example\r\nX-Forwarded-Port: 443\r\n" in head
    assert head.endswith("Forwarded: for=203.0.113.7;host=a.example;proto=https\r\n\r\n")
