"""Responses that nginx may have sent uncompressed because of Via."""

from __future__ import annotations

import pytest

from cache.http.messages import Fields, Response
from cache.rules.gzip_proxied import LEAST_LENGTH, may_withhold_gzip

SENT = {"Accept-Encoding": "br, gzip;q=0.8", "Via": "1.1 secondhand"}
RECEIVED = {"Server": "nginx/1.28", "Content-Type": "text/css; charset=utf-8", "Content-Length": "5000"}


def withheld(sent: dict[str, str], received: dict[str, str], status: int = 200) -> bool:
    head = Response(status, "", Fields(tuple(received.items())))
    return may_withhold_gzip(Fields(tuple(sent.items())), head)


def test_text_of_nginx_without_a_coding_is_noticed() -> None:
    assert withheld(SENT, RECEIVED)
    assert withheld(SENT, {**RECEIVED, "Content-Type": "image/svg+xml", "Server": "nginx"})
    assert withheld(SENT, {**RECEIVED, "Content-Length": str(LEAST_LENGTH)})
    assert withheld(SENT, {name: value for name, value in RECEIVED.items() if name != "Content-Length"})


@pytest.mark.parametrize(
    ("sent", "received", "status"),
    [
        ({"Accept-Encoding": "gzip"}, RECEIVED, 200),
        ({**SENT, "Accept-Encoding": "br"}, RECEIVED, 200),
        ({**SENT, "Accept-Encoding": "br, gzip;q=0"}, RECEIVED, 200),
        ({**SENT, "Accept-Encoding": "gzip; q=0.000, *"}, RECEIVED, 200),
        (SENT, {**RECEIVED, "Content-Encoding": "gzip"}, 200),
        (SENT, {**RECEIVED, "Server": "Apache"}, 200),
        (SENT, {**RECEIVED, "Content-Type": "image/png"}, 200),
        (SENT, {**RECEIVED, "Content-Length": "100"}, 200),
        (SENT, RECEIVED, 404),
    ],
)
def test_anything_else_is_not(sent: dict[str, str], received: dict[str, str], status: int) -> None:
    assert not withheld(sent, received, status)
