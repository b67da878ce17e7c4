"""Streams every response through a function that changes it."""

from collections.abc import Iterable

from mitmproxy import http


def _upper(data: bytes) -> bytes | Iterable[bytes]:
    return data.upper()


def responseheaders(flow: http.HTTPFlow) -> None:
    assert flow.response
    flow.response.stream = _upper
