"""`secondhand lint` finds an origin that compresses nothing for a request with Via."""

from __future__ import annotations

import pytest

from tests.addon.origin import test_lint
from tests.fixtures.raw_origin import Peer, Script

HEAD = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nVary: Accept-Encoding\r\n"


def compressing(*, any_request: bool) -> Script:
    """Return a script that compresses, or seems to, for requests without Via, or for any request."""

    async def script(peer: Peer) -> None:
        request = await peer.request()
        coded = b"Accept-Encoding: gzip" in request and (any_request or b"\r\nVia:" not in request)
        await peer.send(HEAD + b"%bContent-Length: 2\r\n\r\nok" % (b"Content-Encoding: gzip\r\n" if coded else b""))
        await peer.client_closed()

    return script


@pytest.mark.parametrize(("any_request", "found"), [(False, True), (True, False)])
def test_via_makes_the_difference(any_request: bool, found: bool) -> None:
    with test_lint.origin_of(compressing(any_request=any_request)) as raw:
        result = test_lint.run(f"http://127.0.0.1:{raw.port}/")
    assert ("gzip_proxied any" in result.stdout) == found
