"""Content codings that a client accepts, and entity tags that name one (RFC 9110 §12.5.3)."""

from __future__ import annotations

import pytest

from cache.http.messages import Fields, Request, Response
from cache.rules.content_coding import is_same_but_for_coding, may_confirm, may_select
from cache.rules.stored_response import StoredResponse

VARY = ("Vary", "Accept-Encoding")


def request(accept: str | None) -> Request:
    lines = () if accept is None else (("Accept-Encoding", accept),)
    return Request("GET", "http", "a.example", 80, "/", Fields(lines))


def entry(coding: str, chosen_for: str | None, *lines: tuple[str, str]) -> StoredResponse:
    head = Response(200, "OK", Fields((("Content-Encoding", coding), *lines) if coding else lines))
    vary = (("accept-encoding", chosen_for),) if VARY in lines else ()
    key = "http://a.example/"
    return StoredResponse("0" * 32, key, "GET", key, head, request_time=0, response_time=0, stored_at=0, vary=vary)


@pytest.mark.row("REVAL-09")
@pytest.mark.parametrize(
    ("coding", "accept", "suits"),
    [
        ("gzip", "GZip", True),
        ("gzip", "br, gzip ; q=0.001", True),
        ("gzip", "gzip;q=0.000", False),
        ("gzip", "gzip;q=", False),
        ("gzip", "*, gzip;q=0", False),
        ("gzip", "*;q=0.1", True),
        ("x-gzip", "gzip", True),
        ("gzip, br", "gzip, br", True),
        ("gzip, br", "br", False),
        ("Identity", "gzip;q=0", True),
        ("", "identity;q=0", False),
        ("", "*;q=0", False),
        ("", "identity, *;q=0", True),
        ("", None, True),
        ("gzip", None, False),
    ],
)
def test_codings_that_suit_a_request(coding: str, accept: str | None, suits: bool) -> None:
    assert may_select(entry(coding, "zstd, br, gzip", VARY), request(accept)) is suits


@pytest.mark.row("REVAL-09")
def test_a_coding_that_the_origin_chose_for_an_equal_accept_encoding_may_be_selected_again() -> None:
    assert may_select(entry("gzip", "br;q=0", VARY), request("br; q=0.0"))
    assert may_select(entry("gzip", None, VARY), request(None))


@pytest.mark.row("F304-12")
def test_a_304_may_confirm_any_coding_if_none_is_negotiated() -> None:
    unnegotiated = entry("gzip", None)
    assert may_confirm(unnegotiated, request(None), Fields())
    assert not may_confirm(unnegotiated, request(None), Fields((VARY,)))
    assert not may_confirm(entry("", None), request("gzip"), Fields((("Vary", "Origin, accept-encoding"),)))
    assert not may_select(unnegotiated, request(None))
    assert may_select(entry("", None), request("gzip"))


@pytest.mark.row("F304-03")
@pytest.mark.parametrize(
    ("stored", "received", "coding", "same"),
    [
        ('W/"a"', '"a"', "", True),
        ('"a-gzip"', '"a"', "gzip", True),
        ('"a"', '"a-gzip"', "x-gzip", True),
        ('W/"a-br"', '"a"', "br", True),
        ('"a-gzip"', '"a"', "br", False),
        ('"a-gzip"', '"a"', "", False),
        ('"a"', '"b"', "gzip", False),
        ("a-gzip", "a", "gzip", False),
    ],
)
def test_entity_tags_that_differ_in_the_coding_alone(stored: str, received: str, coding: str, same: bool) -> None:
    assert is_same_but_for_coding(received, stored, Fields((("Content-Encoding", coding),))) is same
