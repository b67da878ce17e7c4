"""Each reason not to store a response, by the function that gives it (RFC 9111 §3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.http.messages import Fields, Received, Request, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import SetCookie
from cache.policy.reasons import NotStored
from cache.rules.storability import ContentRange, content_range, reason_not_to_store

POLICY = CachePolicy()
FRESH = ("Cache-Control", "max-age=60")
TAG = ("ETag", '"1"')
HERE = ("Content-Location", "/a")
AUTHORIZED = ("Authorization", "Basic c2VjcmV0")
NOW = 1_795_435_200.0

UNDERSTOOD = (
    *(200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308),
    *(400, 401, 403, 404, 405, 410, 414, 451, 500, 501, 502, 503, 504),
)
NEVER = (304, 407, 408, 412, 416, 417, 421, 425, 426, 428, 429, 431, 511)


def why(
    *said: tuple[str, str],
    status: int = 200,
    method: str = "GET",
    asked: tuple[tuple[str, str], ...] = (),
    policy: CachePolicy = POLICY,
    scheme: str = "http",
    content: bool = False,
) -> NotStored | None:
    request = Request(method, scheme, "a.example", 80, "/a", Fields(asked), has_content=content)
    return reason_not_to_store(request, Received(Response(status, "", Fields(said)), NOW, NOW), policy)


@pytest.mark.row("STORE-01")
def test_what_may_be_stored() -> None:
    assert why(FRESH) is None
    assert why(FRESH, method="HEAD") is None
    assert why(TAG) is None
    assert why(("Last-Modified", "Mon, 23 Nov 2026 11:00:00 GMT")) is None


@pytest.mark.row("STORE-08", "STORE-09")
@pytest.mark.parametrize("status", range(200, 600))
def test_which_codes_are_understood(status: int) -> None:
    said = (("Cache-Control", "max-age=60, must-understand, no-store"),)
    if status in NEVER:
        assert why(*said, status=status) is NotStored.STATUS
    elif status == 206:
        assert why(*said, status=status) is NotStored.PARTIAL_UNASKED
    else:
        assert why(*said, status=status) is (None if status in UNDERSTOOD else NotStored.MUST_UNDERSTAND)


@pytest.mark.row("STATUS-52", "STATUS-53", "STATUS-54", "STATUS-55")
def test_which_codes_are_never_stored() -> None:
    assert {status for status in range(200, 600) if why(FRESH, status=status)} == {206, *NEVER}
    assert {why(FRESH, status=status) for status in (100, 199, 600, 999)} == {NotStored.STATUS}


@pytest.mark.row("STORE-04", "STORE-20", "STORE-27")
def test_what_the_request_says() -> None:
    assert why(FRESH, method="PUT") is NotStored.METHOD
    assert why(FRESH, content=True) is NotStored.BYPASSED
    assert why(FRESH, asked=(("Cache-Control", "no-store"),)) is NotStored.REQUEST_NO_STORE


@pytest.mark.row("STORE-19")
def test_answers_to_post() -> None:
    assert why(FRESH, HERE, method="POST") is None
    assert why(FRESH, ("Content-Location", "http://A.example/%61"), method="POST") is None
    assert why(FRESH, method="POST") is NotStored.METHOD
    assert why(TAG, HERE, method="POST") is NotStored.METHOD
    assert why(FRESH, HERE, method="POST", status=201) is NotStored.METHOD
    assert why(FRESH, ("Content-Location", "/b"), method="POST") is NotStored.METHOD
    assert why(FRESH, ("Content-Location", "ftp://a.example/a"), method="POST") is NotStored.METHOD
    assert why(FRESH, HERE, method="POST", asked=(("Cache-Control", "no-store"),)) is NotStored.METHOD


@pytest.mark.row("STORE-02", "STORE-05", "STORE-18")
def test_what_the_response_says() -> None:
    assert why(("Cache-Control", "max-age=60, no-store")) is NotStored.NO_STORE
    assert why(("Cache-Control", "max-age=60, private")) is NotStored.PRIVATE
    assert why(("Cache-Control", 'max-age=60, private="a"')) is None
    assert why(FRESH, ("Content-Type", "text/event-stream;x=y")) is NotStored.STREAM
    assert why() is NotStored.NEVER_REUSABLE
    assert why(TAG, status=500) is NotStored.STATUS
    assert why(TAG, ("Cache-Control", "public"), status=500) is None


@pytest.mark.row("AUTH-01", "AUTH-02", "AUTH-08")
def test_what_may_be_for_one_client_alone() -> None:
    assert why(FRESH, asked=(AUTHORIZED,)) is NotStored.AUTHORIZATION
    for said in ("public, max-age=60", "s-maxage=60", "must-revalidate, max-age=60"):
        assert why(("Cache-Control", said), asked=(AUTHORIZED,)) is None
    for said in ("proxy-revalidate, max-age=60", "immutable, max-age=60"):
        assert why(("Cache-Control", said), asked=(AUTHORIZED,)) is NotStored.AUTHORIZATION
    shows = replace(POLICY, storing=replace(POLICY.storing, client_certificate=True))
    assert why(FRESH, policy=shows, scheme="https") is NotStored.AUTHORIZATION
    assert why(FRESH, policy=shows) is None
    assert why(FRESH, policy=replace(shows, identity=replace(shows.identity, gateway=True))) is NotStored.AUTHORIZATION
    assert why(FRESH, policy=replace(POLICY, identity=replace(POLICY.identity, gateway=True)), scheme="https") is None


@pytest.mark.row("STORE-22")
@pytest.mark.parametrize("name", ["Set-Cookie", "Set-Cookie2"])
def test_what_sets_cookies(name: str) -> None:
    cookie, strip, bypass = (name, "a=1"), SetCookie.STRIP, SetCookie.BYPASS
    assert why(FRESH, cookie) is None
    assert why(TAG, cookie) is NotStored.SET_COOKIE
    assert why(TAG, cookie, policy=replace(POLICY, storing=replace(POLICY.storing, set_cookie=strip))) is None
    assert (
        why(FRESH, cookie, policy=replace(POLICY, storing=replace(POLICY.storing, set_cookie=bypass)))
        is NotStored.SET_COOKIE
    )
    assert why(FRESH, policy=replace(POLICY, storing=replace(POLICY.storing, set_cookie=bypass))) is None


@pytest.mark.row("KEY-23")
@pytest.mark.parametrize("coding", ["dcb", "dcz", "gzip, dcb"])
def test_what_is_coded_with_a_dictionary(coding: str) -> None:
    coded, both = ("Content-Encoding", coding), "Accept-Encoding, Available-Dictionary"
    assert why(FRESH, coded) is NotStored.DICTIONARY_VARY
    assert why(FRESH, coded, ("Vary", "Accept-Encoding")) is NotStored.DICTIONARY_VARY
    assert why(FRESH, coded, ("Vary", both)) is None
    assert why(FRESH, coded, ("Vary", both + ", X")) is None
    assert why(FRESH, ("Content-Encoding", "gzip")) is None


@pytest.mark.row("SEC-05")
def test_errors_that_an_odd_request_provoked() -> None:
    odd = (("Range", "bytes=9-1x"),)
    assert why(FRESH, asked=odd) is None
    assert why(FRESH, status=399, asked=odd) is None
    assert why(FRESH, status=400, asked=odd) is NotStored.ODD_REQUEST
    usual = 8_192 - len("X") - 4
    assert why(FRESH, status=400, asked=(("X", "x" * usual),)) is None
    assert why(FRESH, status=400, asked=(("X", "x" * (usual + 1)),)) is NotStored.ODD_REQUEST
    assert why(FRESH, status=400, asked=(("X", "\t"),)) is None
    assert why(FRESH, status=400, asked=(("X", "\x7f"),)) is NotStored.ODD_REQUEST


@pytest.mark.row("SEC-06")
def test_what_contradicts_its_name_is_stored_where_nobody_minds() -> None:
    assert why(FRESH, ("Content-Type", "image/png")) is None


@pytest.mark.row("RANGE-14")
@pytest.mark.parametrize(
    ("said", "length", "place"),
    [
        ("bytes 0-4/10", "5", ContentRange(0, 5, 10)),
        ("BYTES 9-9/10", "1", ContentRange(9, 10, 10)),
        ("bytes 0-9/10", "10", ContentRange(0, 10, 10)),
        ("bytes 0-4/10", "6", None),
        ("bytes 0-4/10", None, None),
        ("bytes 5-4/10", "0", None),
        ("bytes 9-10/10", "2", None),
        ("bytes 10-10/10", "1", None),
        ("bytes 0-4/*", "5", None),
        ("pages 0-4/10", "5", None),
        ("bytes */10", "0", None),
        ("bytes 0-4/" + "9" * 19, "5", None),
    ],
)
def test_where_a_part_lies(said: str, length: str | None, place: ContentRange | None) -> None:
    fields = Fields((("Content-Range", said), *([("Content-Length", length)] if length else [])))
    assert content_range(Response(206, "", fields)) == place
    asked = (("Range", "bytes=0-"),)
    assert why(FRESH, *fields, status=206, asked=asked) is (None if place else NotStored.PARTIAL)
    assert why(FRESH, *fields, status=206) is NotStored.PARTIAL_UNASKED
