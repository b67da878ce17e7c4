"""Streams every request and every response as it comes."""

from mitmproxy import http


def requestheaders(flow: http.HTTPFlow) -> None:
    flow.request.stream = True


def responseheaders(flow: http.HTTPFlow) -> None:
    assert flow.response
    flow.response.stream = True
