"""Ambiguous request heads that mitmproxy accepts are refused.

See docs/decisions.md, "A request head that can be read in two ways is refused".
"""

from __future__ import annotations

import pytest
from mitmproxy import http
from mitmproxy.test.tutils import treq

from addon.config.settings import LimitSettings
from addon.frontend.mitm.request_checks import fault_of, fault_of_response, size_fault_of


def test_a_plain_request_has_no_fault() -> None:
    assert fault_of(treq(headers=((b"host", b"a.example"),), path=b"/a")) is None


@pytest.mark.parametrize("path", [b"3/login", b"*", b"", b"/a b", b"/a#b", b"/a\r\nX: y"])
def test_a_target_that_is_no_path_is_refused(path: bytes) -> None:
    assert fault_of(treq(headers=((b"host", b"a.example"),), path=path))


def test_options_may_have_an_asterisk_as_its_target() -> None:
    assert fault_of(treq(method=b"OPTIONS", headers=((b"host", b"a.example"),), path=b"*")) is None


@pytest.mark.parametrize("headers", [(), ((b"host", b"a"), (b"host", b"b")), ((b"host", b"a/b"),)])
def test_a_host_that_is_not_one_host_is_refused(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    assert fault_of(treq(headers=headers, path=b"/"))


@pytest.mark.parametrize("host", ["::::1", ".", "a/b"])
def test_a_target_without_a_host_that_could_be_asked_is_refused(host: str) -> None:
    assert fault_of(treq(host=host, headers=((b"host", b"a.example"),), path=b"/"))


def test_a_line_break_in_a_value_is_refused() -> None:
    assert fault_of(treq(headers=((b"host", b"a"), (b"x", b"a\rb")), path=b"/"))


def test_user_information_is_refused() -> None:
    assert fault_of(treq(host="user:password@a.example", headers=((b"host", b"a.example"),), path=b"/"))


@pytest.mark.parametrize(
    ("path", "value", "count", "status"),
    [
        (b"/" + b"a" * 900, b"", 1, None),
        (b"/" + b"a" * 1000, b"", 1, 414),
        (b"/", b"a" * 900, 2, None),
        (b"/", b"a" * 1000, 1, 431),
        (b"/", b"a" * 900, 3, 431),
    ],
    ids=["just within", "request line", "two long lines", "one line", "head"],
)
def test_a_head_above_the_limits_is_refused(path: bytes, value: bytes, count: int, status: int | None) -> None:
    limits = LimitSettings(max_head=2000, max_line=1000)
    found = size_fault_of(treq(headers=((b"x", value),) * count, path=path), limits)
    assert (found and found[1]) == status


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ([(b"X", b"a\x00b")], "a field value with a line break or NUL"),
        ([(b"X Y", b"a")], "a field name that is no token"),
        ([(b"Content-Length", b"1"), (b"content-length", b"2")], "two values of Content-Length"),
        ([(b"Content-Length", b"1"), (b"X", b"a b")], None),
    ],
)
def test_an_ambiguous_response_head_is_recognised(fields: list[tuple[bytes, bytes]], fault: str | None) -> None:
    response = http.Response.make(200)
    response.headers = http.Headers(fields)

    assert fault_of_response(response) == fault
