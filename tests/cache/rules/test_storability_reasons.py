"""The reasons not to store a response (RFC 9111 §3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cache.http.messages import Fields, Received, Response
from cache.policy.cache_policy import CachePolicy
from cache.policy.operator_rules import SetCookie
from cache.policy.reasons import NotStored
from cache.rules.storability import ContentRange, content_range, reason_not_to_store
from tests.cache.examples import NOW, request

POLICY = CachePolicy()
FRESH = ("Cache-Control", "max-age=60")
TAG = ("ETag", '"1"')
SAME_URL = ("Content-Location", "/a")
CREDENTIAL = ("Authorization", "Basic c2VjcmV0")

UNDERSTOOD = (
    *(200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308),
    *(400, 401, 403, 404, 405, 410, 414, 451, 500, 501, 502, 503, 504),
)
NEVER_STORED = (304, 407, 408, 412, 416, 417, 421, 425, 426, 428, 429, 431, 511)


def reason(
    *fields: tuple[str, str],
    status: int = 200,
    method: str = "GET",
    request_fields: tuple[tuple[str, str], ...] = (),
    policy: CachePolicy = POLICY,
    scheme: str = "http",
    content: bool = False,
    target: str = "/a",
) -> NotStored | None:
    """Return the reason not to store a response with these fields, or None if it is stored."""
    sent = request(*request_fields, method=method, target=target, scheme=scheme, has_content=content)
    return reason_not_to_store(sent, Received(Response(status, "", Fields(fields)), NOW, NOW), policy)


@pytest.mark.row("STORE-01")
def test_a_fresh_or_validatable_response_is_stored() -> None:
    assert reason(FRESH) is None
    assert reason(FRESH, method="HEAD") is None
    assert reason(TAG) is None
    assert reason(("Last-Modified", "Mon, 23 Nov 2026 11:00:00 GMT")) is None


@pytest.mark.row("STORE-08", "STORE-09")
@pytest.mark.parametrize("status", range(200, 600))
def test_must_understand_overrules_no_store_for_understood_codes(status: int) -> None:
    fields = (("Cache-Control", "max-age=60, must-understand, no-store"),)
    if status in NEVER_STORED:
        assert reason(*fields, status=status) is NotStored.STATUS
    elif status == 206:
        assert reason(*fields, status=status) is NotStored.PARTIAL_UNASKED
    else:
        assert reason(*fields, status=status) is (None if status in UNDERSTOOD else NotStored.MUST_UNDERSTAND)


@pytest.mark.row("STATUS-52", "STATUS-53", "STATUS-54", "STATUS-55")
def test_some_codes_are_never_stored() -> None:
    assert {status for status in range(200, 600) if reason(FRESH, status=status)} == {206, *NEVER_STORED}
    assert {reason(FRESH, status=status) for status in (100, 199, 600, 999)} == {NotStored.STATUS}


@pytest.mark.row("STORE-04", "STORE-20", "STORE-27")
def test_reasons_in_the_request() -> None:
    assert reason(FRESH, method="PUT") is NotStored.METHOD
    assert reason(FRESH, content=True) is NotStored.BYPASSED
    assert reason(FRESH, request_fields=(("Cache-Control", "no-store"),)) is NotStored.REQUEST_NO_STORE


@pytest.mark.row("STORE-19")
def test_a_response_to_post_is_stored_only_for_later_gets_of_the_same_url() -> None:
    assert reason(FRESH, SAME_URL, method="POST") is None
    assert reason(FRESH, ("Content-Location", "http://A.example/%61"), method="POST") is None
    assert reason(FRESH, method="POST") is NotStored.METHOD
    assert reason(TAG, SAME_URL, method="POST") is NotStored.METHOD
    assert reason(FRESH, SAME_URL, method="POST", status=201) is NotStored.METHOD
    assert reason(FRESH, ("Content-Location", "/b"), method="POST") is NotStored.METHOD
    assert reason(FRESH, ("Content-Location", "ftp://a.example/a"), method="POST") is NotStored.METHOD
    assert reason(FRESH, SAME_URL, method="POST", request_fields=(("Cache-Control", "no-store"),)) is NotStored.METHOD


@pytest.mark.row("STORE-02", "STORE-05", "STORE-18")
def test_reasons_in_the_response() -> None:
    assert reason(("Cache-Control", "max-age=60, no-store")) is NotStored.NO_STORE
    assert reason(("Cache-Control", "max-age=60, private")) is NotStored.PRIVATE
    assert reason(("Cache-Control", 'max-age=60, private="a"')) is None
    assert reason(FRESH, ("Content-Type", "text/event-stream;x=y")) is NotStored.STREAM
    assert reason() is NotStored.NEVER_REUSABLE
    assert reason(TAG, status=500) is NotStored.STATUS
    assert reason(TAG, ("Cache-Control", "public"), status=500) is None


@pytest.mark.row("AUTH-01", "AUTH-02", "AUTH-08")
def test_a_response_to_an_authorized_request_is_stored_only_with_permission() -> None:
    assert reason(FRESH, request_fields=(CREDENTIAL,)) is NotStored.AUTHORIZATION
    for directives in ("public, max-age=60", "s-maxage=60", "must-revalidate, max-age=60"):
        assert reason(("Cache-Control", directives), request_fields=(CREDENTIAL,)) is None
    for directives in ("proxy-revalidate, max-age=60", "immutable, max-age=60"):
        assert reason(("Cache-Control", directives), request_fields=(CREDENTIAL,)) is NotStored.AUTHORIZATION
    certificate = replace(POLICY, storing=replace(POLICY.storing, client_certificate=True))
    assert reason(FRESH, policy=certificate, scheme="https") is NotStored.AUTHORIZATION
    assert reason(FRESH, policy=certificate) is None
    gateway = replace(POLICY.identity, gateway=True)
    assert reason(FRESH, policy=replace(certificate, identity=gateway)) is NotStored.AUTHORIZATION
    assert reason(FRESH, policy=replace(POLICY, identity=gateway), scheme="https") is None


@pytest.mark.row("STORE-22")
@pytest.mark.parametrize("name", ["Set-Cookie", "Set-Cookie2"])
def test_set_cookie_follows_the_policy(name: str) -> None:
    def reason_with(setting: SetCookie, *fields: tuple[str, str]) -> NotStored | None:
        return reason(*fields, policy=replace(POLICY, storing=replace(POLICY.storing, set_cookie=setting)))

    cookie = (name, "a=1")
    assert POLICY.storing.set_cookie is SetCookie.AUTO
    assert reason_with(SetCookie.AUTO, FRESH, cookie) is NotStored.SET_COOKIE
    assert reason_with(SetCookie.AUTO, TAG, cookie) is NotStored.SET_COOKIE
    assert reason_with(SetCookie.AUTO, ("Cache-Control", "public, max-age=60"), cookie) is None
    assert reason_with(SetCookie.AUTO, ("Cache-Control", "s-maxage=0"), TAG, cookie) is None
    assert reason_with(SetCookie.STORE, FRESH, cookie) is None
    assert reason_with(SetCookie.STORE, TAG, cookie) is NotStored.SET_COOKIE
    assert reason_with(SetCookie.STRIP, TAG, cookie) is None
    assert reason_with(SetCookie.BYPASS, FRESH, cookie) is NotStored.SET_COOKIE
    assert reason_with(SetCookie.BYPASS, FRESH) is None


@pytest.mark.row("KEY-23")
@pytest.mark.parametrize("coding", ["dcb", "dcz", "gzip, dcb"])
def test_content_coded_with_a_dictionary_needs_its_fields_in_vary(coding: str) -> None:
    encoding, vary = ("Content-Encoding", coding), "Accept-Encoding, Available-Dictionary"
    assert reason(FRESH, encoding) is NotStored.DICTIONARY_VARY
    assert reason(FRESH, encoding, ("Vary", "Accept-Encoding")) is NotStored.DICTIONARY_VARY
    assert reason(FRESH, encoding, ("Vary", vary)) is None
    assert reason(FRESH, encoding, ("Vary", vary + ", X")) is None
    assert reason(FRESH, ("Content-Encoding", "gzip")) is None


@pytest.mark.row("SEC-05")
def test_an_error_that_an_odd_request_provoked_is_not_stored() -> None:
    """See docs/decisions.md, "An error that an odd request provoked is not stored"."""
    odd = (("Range", "bytes=9-1x"),)
    assert reason(FRESH, request_fields=odd) is None
    assert reason(FRESH, status=399, request_fields=odd) is None
    assert reason(FRESH, status=400, request_fields=odd) is NotStored.ODD_REQUEST
    usual = 8_192 - len("X") - 4  # a field line has 4 more bytes: colon, space, CR LF
    assert reason(FRESH, status=400, request_fields=(("X", "x" * usual),)) is None
    assert reason(FRESH, status=400, request_fields=(("X", "x" * (usual + 1)),)) is NotStored.ODD_REQUEST
    assert reason(FRESH, status=400, request_fields=(("X", "\t"),)) is None
    assert reason(FRESH, status=400, request_fields=(("X", "\x7f"),)) is NotStored.ODD_REQUEST


@pytest.mark.row("SEC-06")
def test_a_content_type_that_contradicts_the_url_is_stored_unless_the_operator_forbids_it() -> None:
    strict = replace(POLICY, storing=replace(POLICY.storing, content_type_match=True))
    image = ("Content-Type", "image/png")
    assert reason(FRESH, image, target="/a.css") is None
    assert reason(FRESH, image, target="/a.css", policy=strict) is NotStored.CONTENT_TYPE
    assert reason(FRESH, image, target="/a.png", policy=strict) is None


@pytest.mark.row("RANGE-14")
@pytest.mark.parametrize(
    ("value", "length", "expected"),
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
def test_a_part_is_stored_only_with_a_valid_position(
    value: str, length: str | None, expected: ContentRange | None
) -> None:
    fields = Fields((("Content-Range", value), *([("Content-Length", length)] if length else [])))
    assert content_range(Response(206, "", fields)) == expected
    range_request = (("Range", "bytes=0-"),)
    assert reason(FRESH, *fields, status=206, request_fields=range_request) is (None if expected else NotStored.PARTIAL)
    assert reason(FRESH, *fields, status=206) is NotStored.PARTIAL_UNASKED
