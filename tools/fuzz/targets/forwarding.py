"""Forwarded fields: a head without them means the same, is refused if the whole one is, and names addresses only."""

from __future__ import annotations

import re
from ipaddress import ip_address

from addon.config.trusted_proxies import TrustedProxies
from addon.frontend.gateway.forwarding import NAMES, Forwarding, without_client
from addon.frontend.http1.request_head import MAX_FIELDS, MalformedRequest, RequestHead, parse
from cache.http.client import NOBODY
from cache.http.messages import Fields, Request
from cache.rules.forwarded_fields import forwarded_fields, view_of

TOKENS = [
    b"X-Forwarded-For: ",
    b"\r\nX-Real-IP:",
    b"\r\nForwarded: for=",
    b";host=",
    b";proto=https",
    b'"[2001:db8::1]"',
]
TOKENS += [
    b"X-Forwarded-Proto: https\r\n",
    b"X-Forwarded-Host: ",
    b"X-Forwarded-Prefix: /",
    b"192.0.2.1, ",
    b"\r\n\r\n",
]

PROXY = "10.0.0.1"
FORWARDING = Forwarding(TrustedProxies([PROXY]), NOBODY)
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


def check(data: bytes) -> None:
    """Read a request head of a trusted proxy, and one of another client."""
    head = b"GET / HTTP/1.1\r\n" + data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    whole = _parsed(head)
    for reduced in (without_client(head), FORWARDING.from_head(head, PROXY)[0], FORWARDING.from_head(head, "a")[0]):
        rest = _parsed(reduced)
        if whole is None:
            assert rest is None or head.count(b"\r\n") > MAX_FIELDS
        else:
            assert rest is not None
            assert rest.fields.without(NAMES) == whole.fields.without(NAMES)
    kept, client = FORWARDING.from_head(head, PROXY)
    assert whole is None or FORWARDING.from_fields(whole.fields, PROXY)[1] == client
    assert FORWARDING.from_head(kept, PROXY)[0] == kept
    assert client.address == "" or ip_address(client.address)
    request = Request("GET", client.scheme or "http", "a.example", 80, "/", Fields(), client=client)
    assert all(_VALUE.fullmatch(value) for _, value in forwarded_fields(request))
    assert "\n" not in (view_of(request) or "")


def _parsed(head: bytes) -> RequestHead | None:
    try:
        return parse(head)
    except MalformedRequest:
        return None
