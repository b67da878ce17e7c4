"""Upstream requests of an edge: whose client they name, and that they show loops without Via."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.engine.upstream_request import forwarded, in_background
from cache.http.client import NOBODY, Client
from cache.policy.cache_policy import CachePolicy, CodingPolicy, Identity
from cache.rules.forwarded_fields import forwarded_fields
from tests.cache.examples import request, stored

EDGE = CachePolicy(identity=Identity(gateway=True, instance="1"))
CLIENT = Client("203.0.113.7", forwarded_for="203.0.113.7", forwarded="for=203.0.113.7", scheme="https")


def test_a_request_names_the_client_that_has_sent_it() -> None:
    assert forwarded(request(client=CLIENT), EDGE).client == CLIENT


def test_a_background_revalidation_names_no_client_but_the_same_scheme() -> None:
    sent = in_background(request(client=CLIENT, scheme="https", port=443), stored(), EDGE)
    fields = forwarded_fields(sent)
    assert not {"x-forwarded-for", "x-real-ip"} & fields.names()
    assert fields.get("x-forwarded-proto") == "https"
    assert "203.0.113.7" not in (fields.get("forwarded") or "")


def test_a_request_of_the_edges_own_has_the_client_nobody() -> None:
    only_x = replace(NOBODY, sends_forwarded=False)
    policy = replace(EDGE, identity=replace(EDGE.identity, forwarded=only_x))
    assert forwarded(request(), policy).client == only_x
    assert forwarded(request(), CachePolicy()).client is None


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ('"1-br-0123abcd"', '"1"'),
        ('W/"1-gzip-0123abcd", "1", "2"', 'W/"1", "1", "2"'),
        ('"1-br-0123abcd", "1-gzip-0123abcd"', '"1"'),
        ('"1-br", "1-br-0123abc"', '"1-br", "1-br-0123abc"'),
        ("*", "*"),
    ],
)
def test_an_origin_gets_its_own_tags_in_if_match(sent: str, seen: str) -> None:
    compressing = replace(EDGE, codings=CodingPolicy(compress=("br", "gzip")))
    assert forwarded(request(("If-Match", sent)), compressing).fields.get("if-match") == seen
    assert forwarded(request(("If-Match", sent)), EDGE).fields.get("if-match") == sent


def test_a_forward_proxy_adds_via_and_an_edge_cdn_loop_as_well() -> None:
    assert forwarded(request(), CachePolicy()).fields.lines == (("Via", "1.1 secondhand"),)
    assert forwarded(request(), EDGE).fields.lines == (("Via", "1.1 secondhand-1"), ("CDN-Loop", "secondhand-1"))
    without = replace(EDGE, identity=replace(EDGE.identity, via=False))
    assert forwarded(request(("CDN-Loop", "a")), without).fields.lines == (("CDN-Loop", "a, secondhand-1"),)
