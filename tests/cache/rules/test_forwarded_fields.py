"""Forwarded fields: what the origin is told about a client, and what of it tells requests apart."""

from __future__ import annotations

import pytest

from cache.http.client import NOBODY, Client
from cache.http.messages import Fields
from cache.policy.cache_policy import CachePolicy
from cache.rules.forwarded_fields import forwarded_fields, view_of
from cache.rules.key import primary_key
from cache.rules.vary import NEVER_MATCHES, vary_of
from tests.cache.examples import request

CLIENT = Client("203.0.113.7", forwarded_for="203.0.113.7, 10.0.0.1", forwarded="for=203.0.113.7, for=10.0.0.1")


def test_an_origin_is_told_the_client_and_the_url() -> None:
    assert forwarded_fields(request(client=CLIENT, scheme="https", port=8443)).lines == (
        ("X-Forwarded-For", "203.0.113.7, 10.0.0.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "a.example:8443"),
        ("X-Forwarded-Port", "8443"),
        ("X-Real-IP", "203.0.113.7"),
        ("Forwarded", 'for=203.0.113.7, for=10.0.0.1;host="a.example:8443";proto=https'),
    )


def test_a_request_of_the_proxys_own_names_no_client() -> None:
    for client in (NOBODY, CLIENT.unnamed()):
        fields = forwarded_fields(request(client=client))
        assert {"x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded"} == fields.names()
        assert fields.get("forwarded") == "host=a.example;proto=http"


def test_without_a_client_an_origin_is_told_nothing() -> None:
    assert forwarded_fields(request()) == Fields()


@pytest.mark.parametrize(
    ("told", "view"),
    [
        (Client(), None),
        (CLIENT, None),
        (Client(host="A.example:80", port="80", told=("a.example", "http")), None),
        (Client(host="b.example"), "host=b.example"),
        (Client(port="8080"), "port=8080"),
        (Client(prefix="/shop"), "prefix=/shop"),
        (Client(told=("b.example", "http")), "forwarded=b.example"),
    ],
)
def test_only_what_differs_from_the_url_tells_requests_apart(told: Client, view: str | None) -> None:
    assert view_of(request(client=told)) == view
    assert primary_key(request(client=told)) == "http://a.example/"
    expected = () if view is None else (("&forwarded", view),)
    assert vary_of(request(client=told), "http://a.example/", Fields(), CachePolicy()) == expected


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x-real-ip", "Forwarded"])
def test_a_response_that_varies_by_the_client_matches_no_request(name: str) -> None:
    varying = Fields((("Vary", f"Accept, {name}"),))
    assert vary_of(request(client=CLIENT), "http://a.example/", varying, CachePolicy()) == NEVER_MATCHES
    assert vary_of(request(), "http://a.example/", varying, CachePolicy()) != NEVER_MATCHES
