"""Requests of mitmproxy's flows, as the cache sees them and as they are sent."""

from __future__ import annotations

import pytest
from mitmproxy import http
from mitmproxy.test import tflow, tutils

from addon.frontend.mitm.flow_requests import destination_of, request_of_flow, send_as

SPELLINGS = ["a.example", "A.example", "a.example.", "a.example:443", "a.EXAMPLE:0443"]


def flow_for(version: bytes, authority: bytes, *fields: tuple[bytes, bytes]) -> http.HTTPFlow:
    """Return a flow for a request inside TLS to a.example."""
    request = tutils.treq(
        host="a.example",
        port=443,
        scheme=b"https",
        http_version=version,
        authority=authority,
        headers=fields,
        content=b"",
    )
    return tflow.tflow(req=request)


def sent(flow: http.HTTPFlow) -> http.Request:
    """Return the message of a flow as mitmproxy sends it for the cache."""
    request = request_of_flow(flow, destination_of(flow))
    send_as(flow, request, request)
    return flow.request


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_origin_gets_one_spelling_of_its_name(spelling: str) -> None:
    """Regression: a response that shows the spelling of one client was stored for all."""
    over_http2 = flow_for(b"HTTP/2.0", spelling.encode())
    over_http1 = flow_for(b"HTTP/1.1", b"", (b"Host", spelling.encode()))
    assert request_of_flow(over_http2, destination_of(over_http2)).fields.all("host") == ("a.example",)
    assert sent(over_http2).data.authority == b"a.example"
    assert "host" not in over_http2.request.headers
    assert sent(over_http1).headers.fields == ((b"Host", b"a.example"),)


def test_a_name_outside_ascii_stays_encoded() -> None:
    assert sent(flow_for(b"HTTP/2.0", b"XN--bcher-kva.example")).data.authority == b"xn--bcher-kva.example"


def test_a_host_field_beside_the_authority_is_spelled_like_it() -> None:
    """Over HTTP/1, mitmproxy sends it in place of the authority."""
    message = sent(flow_for(b"HTTP/2.0", b"A.example", (b"host", b"A.example")))
    assert (message.data.authority, message.headers.get_all("host")) == (b"a.example", ["a.example"])
