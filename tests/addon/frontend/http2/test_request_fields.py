"""The fields of a request over HTTP/2: what they lead to, and what is refused (RFC 9113 §8)."""

from __future__ import annotations

import pytest

from addon.config.settings import Settings
from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.request_head import MAX_FIELDS, HeadLimits, MalformedRequest, RequestHead, parse
from addon.frontend.http1.request_target import ForwardProxyTargets, GatewayTargets, RequestTargets, TunnelTargets
from addon.frontend.http2.request_fields import Http2Head, check_trailers, request_head

MAX_LINE = HeadLimits().line

GET = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"a.example"), (b":path", b"/b?c")]

Line = tuple[bytes, bytes]


def head_of(lines: list[Line], *, secure: bool = True) -> Http2Head:
    return request_head(lines, b"prefix\n", MAX_LINE, secure=secure)


def replaced(name: bytes, value: bytes) -> list[Line]:
    return [(each, value if each == name else old) for each, old in GET]


def without(*names: bytes) -> list[Line]:
    return [line for line in GET if line[0] not in names]


def test_a_head_has_the_whole_url_as_its_target_and_one_host() -> None:
    head = head_of([*GET, (b"accept", b"*/*")]).head
    assert head == RequestHead("GET", "https://a.example/b?c", head.fields, "HTTP/2.0", 0)
    assert head.fields.lines == (("host", "a.example"), ("accept", "*/*"))


@pytest.mark.parametrize(
    "targets",
    [
        ForwardProxyTargets(),
        GatewayTargets(Sites(Settings(edge="http://b.example").sites), scheme="https"),
        TunnelTargets.of("https", "a.example", 443, "a.example"),
    ],
    ids=["forward proxy", "edge", "tunnel"],
)
def test_a_request_is_the_same_as_over_http_1(targets: RequestTargets) -> None:
    over_http2 = targets.request(head_of([*GET, (b"accept", b"*/*")]).head)
    line = b"GET https://a.example/b?c HTTP/1.1\r\n"
    over_http1 = targets.request(parse(line + b"host: a.example\r\naccept: */*\r\n\r\n"))
    assert over_http2.uri == over_http1.uri
    assert sorted((name.lower(), value) for name, value in over_http2.fields) == sorted(
        (name.lower(), value) for name, value in over_http1.fields
    )


def test_lines_of_cookie_are_joined() -> None:
    assert head_of([*GET, (b"cookie", b"a=1"), (b"cookie", b"b=2")]).head.fields.all("cookie") == ("a=1; b=2",)


def test_host_may_stand_in_place_of_the_authority() -> None:
    head = head_of([*without(b":authority"), (b"host", b"a.example")]).head
    assert (head.target, head.fields.all("host")) == ("https://a.example/b?c", ("a.example",))


def test_host_may_repeat_the_authority() -> None:
    assert head_of([*GET, (b"host", b"A.example")]).head.fields.all("host") == ("a.example",)


def test_options_may_ask_about_the_whole_server() -> None:
    lines = [(b":method", b"OPTIONS"), *replaced(b":path", b"*")[1:]]
    head = head_of(lines).head
    assert TunnelTargets.of("https", "a.example", 443, "a.example").request(head).target == "*"


def test_only_the_same_request_has_the_same_key() -> None:
    heads = [
        GET,
        replaced(b":path", b"/c"),
        replaced(b":authority", b"b.example"),
        replaced(b":method", b"HEAD"),
        [*GET, (b"a", b"b: c")],
        [*GET, (b"a", b"b"), (b"b", b"c")],
    ]
    assert len({head_of(lines).key for lines in heads}) == len(heads)
    assert head_of(GET).key == head_of(list(GET)).key
    assert head_of(GET).key != request_head(GET, b"other prefix\n", MAX_LINE, secure=True).key


def test_te_trailers_is_allowed() -> None:
    assert head_of([*GET, (b"te", b"trailers")]).head.fields.get("te") == "trailers"


MALFORMED: dict[str, list[Line]] = {
    "CR LF in a value": [*GET, (b"x", b"y\r\ncontent-length: 50")],
    "LF in a value": [*GET, (b"x", b"y\nz")],
    "CR in a value": [*GET, (b"x", b"y\rz")],
    "NUL in a value": [*GET, (b"x", b"y\x00z")],
    "a control character in a value": [*GET, (b"x", b"y\x0bz")],
    "a space before a value": [*GET, (b"x", b" y")],
    "a tab behind a value": [*GET, (b"x", b"y\t")],
    "CR LF in a name": [*GET, (b"x: y\r\nz", b"1")],
    "a colon in a name": [*GET, (b"x:y", b"1")],
    "a space in a name": [*GET, (b"content-length ", b"5")],
    "a capital in a name": [*GET, (b"X", b"1")],
    "an empty name": [*GET, (b"", b"1")],
    "obs-text in a name": [*GET, (b"x\xff", b"1")],
    "a space in the path": replaced(b":path", b"/a b"),
    "a request line in the path": replaced(b":path", b"/a HTTP/1.1\r\nhost: b"),
    "a fragment in the path": replaced(b":path", b"/a#b"),
    "a path without slash": replaced(b":path", b"a"),
    "a path that continues the authority": replaced(b":path", b"@evil.example/"),
    "a whole URL as the path": replaced(b":path", b"http://evil.example/"),
    "an empty path": replaced(b":path", b""),
    "a path of * for GET": replaced(b":path", b"*"),
    "a space in the method": replaced(b":method", b"GET /a"),
    "an empty method": replaced(b":method", b""),
    "http inside TLS": replaced(b":scheme", b"http"),
    "an unknown scheme": replaced(b":scheme", b"ftp"),
    "a URL as the scheme": replaced(b":scheme", b"https://evil.example/a?"),
    "a path in the authority": replaced(b":authority", b"a.example/x"),
    "a query in the authority": replaced(b":authority", b"a.example?x"),
    "CR LF in the authority": replaced(b":authority", b"a.example\r\nx: y"),
    "a space in the authority": replaced(b":authority", b"a.example x"),
    "an empty authority": replaced(b":authority", b""),
    "no authority": without(b":authority"),
    "no method": without(b":method"),
    "no scheme": without(b":scheme"),
    "no path": without(b":path"),
    "another Host": [*GET, (b"host", b"b.example")],
    "Host twice": [*without(b":authority"), (b"host", b"a.example"), (b"host", b"a.example")],
    "the authority twice": [*GET, (b":authority", b"b.example")],
    "the path twice": [*GET, (b":path", b"/c")],
    "an unknown pseudo-field": [*GET, (b":x", b"1")],
    "a pseudo-field of responses": [*GET, (b":status", b"200")],
    "a pseudo-field behind a field": [(b"x", b"1"), *GET],
    "extended CONNECT without a path": [(b":method", b"CONNECT"), (b":protocol", b"websocket"), *without(b":path")[1:]],
    "extended CONNECT without a scheme": [(b":method", b"CONNECT"), (b":protocol", b"a"), *without(b":scheme")[1:]],
    "extended CONNECT with an odd protocol": [(b":method", b"CONNECT"), (b":protocol", b"a b"), *GET[1:]],
    "GET with a protocol": [*GET, (b":protocol", b"websocket")],
    "CONNECT with a path": replaced(b":method", b"CONNECT"),
    "CONNECT without authority": [(b":method", b"CONNECT")],
    "Connection": [*GET, (b"connection", b"close")],
    "Keep-Alive": [*GET, (b"keep-alive", b"5")],
    "Proxy-Connection": [*GET, (b"proxy-connection", b"close")],
    "Transfer-Encoding": [*GET, (b"transfer-encoding", b"chunked")],
    "Upgrade": [*GET, (b"upgrade", b"websocket")],
    "TE with a coding": [*GET, (b"te", b"trailers, gzip")],
    "two lengths": [*GET, (b"content-length", b"5"), (b"content-length", b"5")],
    "a length with a sign": [*GET, (b"content-length", b"+5")],
    "a length for WSGI servers alone": [*GET, (b"content_length", b"5")],
    "a list of lengths": [*GET, (b"content-length", b"5, 5")],
}


@pytest.mark.parametrize("lines", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_is_refused(lines: list[Line]) -> None:
    with pytest.raises(MalformedRequest) as refused:
        head_of(lines)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([*GET, *[(b"x", b"y")] * MAX_FIELDS], 431),
        ([*GET, (b"x", b"y" * MAX_LINE)], 431),
        (replaced(b":path", b"/" + b"a" * MAX_LINE), 414),
    ],
    ids=["many fields", "a long field", "a long path"],
)
def test_a_head_that_is_too_large_is_refused_as_over_http_1(lines: list[Line], status: int) -> None:
    with pytest.raises(MalformedRequest) as refused:
        head_of(lines)
    assert refused.value.status == status


def test_a_length_without_content_is_refused() -> None:
    known = head_of([*GET, (b"content-length", b"5")])
    assert known.head_of(ended=False).length == 5
    with pytest.raises(MalformedRequest):
        known.head_of(ended=True)
    assert head_of(GET).head_of(ended=False).length is None


def test_trailers_have_no_pseudo_fields_and_are_fields() -> None:
    check_trailers([(b"grpc-status", b"0")], MAX_LINE)
    for line in ((b":path", b"/"), (b"X", b"1"), (b"x", b"a\nb"), (b"connection", b"close")):
        with pytest.raises(MalformedRequest):
            check_trailers([line], MAX_LINE)
