"""The requests that are listed for hot responses."""

from __future__ import annotations

import pytest

from addon.frontend.http1.recent_hits import request_of

FORWARD = b"\nGET http://a.example:81/b?c HTTP/1.1\r\nHost: a.example:81\r\n\r\n"
TUNNEL = b"https://a.example:443 a.example\nGET /b HTTP/1.1\r\nAccept: */*\r\nHOST:a.example\r\n\r\n"
EDGE = b"\nHEAD /?u=http://b/ HTTP/1.0\r\nhost: [::1]:80\r\n\r\n"
HTTP2 = "\nGET https://a.example/b\nhost: a.example\naccept: */*"


@pytest.mark.parametrize(
    ("name", "scheme", "request_"),
    [
        (FORWARD, "http", ("GET", "http://a.example:81/b?c")),
        (TUNNEL, "https", ("GET", "https://a.example/b")),
        (EDGE, "http", ("HEAD", "http://[::1]:80/?u=http://b/")),
        (HTTP2, "https", ("GET", "https://a.example/b")),
        (b"", "http", ("", "")),
    ],
    ids=["forward", "tunnel", "edge", "HTTP/2", "not kept"],
)
def test_the_request_is_found_in_its_name(name: bytes | str, scheme: str, request_: tuple[str, str]) -> None:
    assert request_of(name, scheme) == request_
