"""Request heads: a head that two parsers could read in two ways is refused.

See docs/decisions.md, "A request head that can be read in two ways is refused".
"""

from __future__ import annotations

import pytest

from addon.frontend.http1.request_head import MAX_FIELDS, HeadLimits, MalformedRequest, end_of_head, parse

GET = b"GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n"
LIMITS = HeadLimits()
MAX_LINE = LIMITS.line
POST = GET.replace(b"GET", b"POST")


def refusal(data: bytes) -> int:
    with pytest.raises(MalformedRequest) as caught:
        parse(data)
    return caught.value.status


def early_refusal(data: bytes, limits: HeadLimits = LIMITS) -> int:
    """Return the status for a head that is refused before it is parsed."""
    with pytest.raises(MalformedRequest) as caught:
        end_of_head(data, limits)
    return caught.value.status


def test_a_head_is_parsed() -> None:
    head = parse(b"GET http://a.example/a?b HTTP/1.1\r\nHost: a.example\r\nX-Y: \t a  b\t \r\nX-Y:\r\nx-y:c:d\r\n\r\n")
    assert (head.method, head.target, head.version) == ("GET", "http://a.example/a?b", "HTTP/1.1")
    assert head.fields.lines == (("Host", "a.example"), ("X-Y", "a  b"), ("X-Y", ""), ("x-y", "c:d"))
    assert not head.has_content
    assert head.persistent


@pytest.mark.parametrize(
    "line",
    [
        b"GET http://a.example/",  # HTTP/0.9
        b"GET  http://a.example/ HTTP/1.1",
        b" GET http://a.example/ HTTP/1.1",
        b"GET http://a.example/ HTTP/1.1 ",
        b"GET\thttp://a.example/ HTTP/1.1",
        b"GET http://a.example/a b HTTP/1.1",
        b"GET http://a.example/\t HTTP/1.1",
        b"GET http://a.example/\x00 HTTP/1.1",
        b"GET http://a.example/\x7f HTTP/1.1",
        b"GET http://a.example/\x0b HTTP/1.1",
        b"GET http://a.example/#a HTTP/1.1",
        b"GET http://a.example/?#a HTTP/1.1",
        b"GET http://a.example#a HTTP/1.1",
        b"G@T http://a.example/ HTTP/1.1",
        b"G\xc3\xa9T http://a.example/ HTTP/1.1",
        b'"GET" http://a.example/ HTTP/1.1',
        b"GET http://a.example/ http/1.1",
        b"GET http://a.example/ HTTP/1.7",
        b"GET http://a.example/ HTTP/1.10",
        b"GET http://a.example/ HTTP/01.1",
        b"GET http://a.example/ HTTP/2.0",
        b"GET http://a.example/ HTTP/0.9",
        b"GET http://a.example/ HTP/1.1",
        b"PRI * HTTP/2.0",
        b"GET http://a.example/ RTSP/1.0",
        b"GET http://a.example/ ICE/1.0",
        b"",
    ],
)
def test_a_request_line_of_another_form_is_refused(line: bytes) -> None:
    assert refusal(line + b"\r\nHost: a.example\r\n\r\n") == 400


@pytest.mark.parametrize(
    "line",
    [
        b"X : a\r\n",
        b"X\t: a\r\n",
        b" X: a\r\n",  # a folded line, here without a line before it
        b"X: a\r\n b\r\n",
        b"X: a\r\n\tb\r\n",
        b"X: a\n",
        b"X: a\r",
        b"X: a\rb\r\n",
        b"X: a\nb\r\n",
        b"X: a\r\r\n",
        b"X: a\x00\r\n",
        b"X: a\x0bb\r\n",
        b"X: \x7f\r\n",
        b"X\x00: a\r\n",
        b"X(: a\r\n",
        b"X\xe9: a\r\n",
        b": a\r\n",
        b"X\r\n",
        b"X a\r\n",
    ],
)
def test_a_field_line_of_another_form_is_refused(line: bytes) -> None:
    assert refusal(GET + line + b"\r\n") == 400
    assert refusal(GET + line + b"Y: b\r\n\r\n") == 400


def test_bytes_above_ascii_are_kept() -> None:
    assert parse(GET + b"X: \xe9\xc3\xa9\r\n\r\n").fields.get("x") == "\xe9\xc3\xa9"


@pytest.mark.parametrize(
    "lines",
    [
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunkedx\r\n",
        b"Transfer-Encoding: x chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding:\r\n",
        b'Transfer-Encoding: "chunked"\r\n',
        b"Transfer-Encoding: chunked;q=1\r\n",
        b"Transfer-Encoding: ,chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"Transfer-Encoding: chunked\x0c\r\n",
        b"Transfer-Encoding: chunked\xa0\r\n",
        b"Transfer-Encoding: c\xc4\xa5unked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding\r\n : chunked\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 5 5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: 5_0\r\n",
        b"Content-Length: 5.0\r\n",
        b"Content-Length: 5;\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length:\r\n",
        b"Content-Length: 9999999999999999999\r\n",
        b"Content-Length : 5\r\n",
        b"Content_Length: 5\r\n",  # for a WSGI server the same as Content-Length
        b"TRANSFER_encoding: chunked\r\n",
    ],
)
def test_ambiguous_framing_is_refused(lines: bytes) -> None:
    assert refusal(POST + lines + b"\r\n") == 400


def test_chunks_in_http_1_0_are_refused() -> None:
    assert refusal(POST.replace(b"1.1\r", b"1.0\r") + b"Transfer-Encoding: chunked\r\n\r\n") == 400


def test_a_length_and_chunks_are_accepted() -> None:
    assert parse(POST + b"Content-Length: 5\r\n\r\n").length == 5
    assert parse(POST + b"Transfer-Encoding: Chunked\r\n\r\n").length is None


@pytest.mark.parametrize(
    "hosts",
    [
        b"",
        b"Host: a.example\r\nHost: a.example\r\n",
        b"Host: a.example\r\nhost: b.example\r\n",
        b"Host: a.example, b.example\r\n",
        b"Host: a.example/b\r\n",
        b"Host: a@b.example\r\n",
        b"Host: http://a.example\r\n",
        b"Host: a.example:b\r\n",
        b"Host: a.example:80:80\r\n",
        b"Host: a b\r\n",
        b"Host: a\tb\r\n",
        b"Host: [::1\r\n",
        b"Host: ::1\r\n",
        b"Host: a?b\r\n",
        b"Host: a#b\r\n",
    ],
)
def test_a_host_that_is_not_one_host_is_refused(hosts: bytes) -> None:
    assert refusal(b"GET http://a.example/ HTTP/1.1\r\n" + hosts + b"\r\n") == 400


def test_connect_needs_no_host_since_its_target_is_one() -> None:
    assert parse(b"CONNECT a.example:443 HTTP/1.1\r\nUser-Agent: lftp/4.9.2\r\n\r\n").target == "a.example:443"
    two = b"Host: a.example\r\nHost: b.example\r\n"
    assert refusal(b"CONNECT a.example:443 HTTP/1.1\r\n" + two + b"\r\n") == 400


def test_http_1_0_needs_no_host_and_has_no_persistent_connections_by_default() -> None:
    assert not parse(b"GET http://a.example/ HTTP/1.0\r\n\r\n").persistent
    assert parse(b"GET http://a.example/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").persistent


@pytest.mark.parametrize("line", [b"Connection: close", b"Connection: x, Close", b"Proxy-Connection: close"])
def test_connection_close_ends_the_connection(line: bytes) -> None:
    assert not parse(GET + line + b"\r\n\r\n").persistent


# ---- limits


def test_a_head_within_the_limits_is_accepted() -> None:
    lines = b"".join(b"X-%03d: %b\r\n" % (number, b"a" * 300) for number in range(MAX_FIELDS - 1))
    assert len(parse(GET + lines + b"\r\n").fields.lines) == MAX_FIELDS
    assert end_of_head(GET + b"X: " + b"a" * (MAX_LINE - 3) + b"\r\n\r\n", LIMITS)


def test_too_many_field_lines_are_refused() -> None:
    assert refusal(GET + b"X: a\r\n" * MAX_FIELDS + b"\r\n") == 431


@pytest.mark.row("PARSE-24")
def test_a_line_above_the_limit_is_refused() -> None:
    assert early_refusal(GET + b"X: " + b"a" * (MAX_LINE - 2) + b"\r\n\r\n") == 431
    assert early_refusal(b"GET http://a.example/" + b"a" * MAX_LINE + b" HTTP/1.1\r\nHost: a.example\r\n\r\n") == 414


def test_a_request_line_above_the_limit_of_a_head_is_a_long_line_too() -> None:
    """RFC 9112 §3: MUST be 414. It must not depend on how much of the head has arrived."""
    line = b"GET http://a.example/" + b"a" * LIMITS.head
    assert [early_refusal(line), early_refusal(line + b" HTTP/1.1\r\nHost: a\r\n\r\n")] == [414, 414]


def test_other_limits_are_applied() -> None:
    small, large = HeadLimits(100, 1000), HeadLimits(10**6, 10**5)
    assert early_refusal(GET + b"X: " + b"a" * 100 + b"\r\n\r\n", small) == 431
    head = GET + b"X: " + b"a" * (MAX_LINE + 1) + b"\r\n\r\n"
    assert end_of_head(head, large) == len(head)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"X: " + b"a" * 10_000 + b"\r\n", 431),  # repeated up to the limit of the whole head
        (b"a" * (MAX_LINE + 1), 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_LINE, 431),
        (b"a\n", 400),
        (b"a\r\rb", 400),
        (b"a\x00", 400),
    ],
)
def test_an_invalid_head_is_refused_before_its_end(data: bytes, status: int) -> None:
    data *= LIMITS.head // len(data) + 1 if data.endswith(b"\r\n") else 1
    assert early_refusal(data) == status


def test_an_incomplete_head_has_no_end() -> None:
    head = GET + b"X: a\r\n\r\n"
    assert [end_of_head(head[:length], LIMITS) for length in range(len(head))] == [0] * len(head)
    assert end_of_head(head + b"GET", LIMITS) == len(head)


def test_a_value_full_of_spaces_is_parsed_in_linear_time() -> None:
    """Regression: the pattern tried every space as the end of the value, which took seconds for 64 KiB."""
    line = b"X: a" + b" " * (MAX_LINE - 6) + b"b\r\n"
    assert len(parse(GET + line * 3 + b"\r\n").fields.lines) == 4
