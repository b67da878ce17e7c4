"""A request of a known class is the request that the parser would return, or it is left to the parser."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from addon.config.settings import Settings
from addon.frontend.gateway.sites import Sites
from addon.frontend.http1.request_classes import MAX_CLASSES, RequestClasses
from addon.frontend.http1.request_head import MalformedRequest, parse
from addon.frontend.http1.request_target import ForwardProxyTargets, GatewayTargets, RequestTargets, TunnelTargets
from cache.rules.key import primary_key, target_uri
from tests.fixtures.strategies import unhurried

PROXY = ForwardProxyTargets()
EDGE = GatewayTargets(Sites(Settings(edge="http://backend.example:8000").sites))
TUNNEL = TunnelTargets.of("https", "a.example", 443, "a.example")
CONNECTIONS = {"proxy": (PROXY, b"http://a.example"), "edge": (EDGE, b""), "tunnel": (TUNNEL, b"")}

_TARGETS = st.binary(max_size=4) | st.sampled_from(
    [b"/", b"/b?c=1", b"//x", b"/%41", b"/%", b"/\xe9", b"/a b", b"/#", b"*", b"", b".evil/", b":81/", b"@b/", b"?q"]
)


def head(
    target: bytes, method: bytes = b"GET", rest: bytes = b"HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n"
) -> bytes:
    return method + b" " + target + b" " + rest


def classes(targets: RequestTargets, first: bytes) -> RequestClasses:
    """Return classes that know the class of the request `first`."""
    known = RequestClasses()
    assert known.learn(targets.prefix, first, targets.request(parse(first)))
    return known


@pytest.mark.parametrize("connection", CONNECTIONS)
@given(target=_TARGETS)
@example(target=b"/page")
@unhurried
def test_a_request_is_found_only_as_the_parser_reads_it(connection: str, target: bytes) -> None:
    targets, before = CONNECTIONS[connection]
    found = classes(targets, head(before + b"/first")).find(targets.prefix, head(before + target))
    if found is None:
        assert target != b"/page"
        return
    try:
        expected = targets.request(parse(head(before + target)))
    except MalformedRequest:
        pytest.fail("the parser refuses it")
    assert found[1] == expected
    assert primary_key(expected) == target_uri(expected)


def test_requests_with_other_fields_another_connection_or_another_method_are_of_no_known_class() -> None:
    first = head(b"http://a.example/first")
    known = classes(PROXY, first)
    assert known.find(PROXY.prefix, head(b"http://a.example/second"))
    assert not known.find(PROXY.prefix, head(b"http://b.example/second"))
    assert not known.find(PROXY.prefix, head(b"https://a.example/second"))
    assert not known.find(TUNNEL.prefix, first)
    assert not known.find(PROXY.prefix, head(b"http://a.example/second", b"HEAD"))
    assert not known.find(PROXY.prefix, head(b"http://a.example/second", rest=b"HTTP/1.1\r\nHost: a.example\r\n\r\n"))


@pytest.mark.parametrize("malformed", [b"GET /x\r\n\r\n", b"GET \r\n\r\n", b"GET /x", b"GET", b"\xff"])
def test_a_head_that_no_parser_has_checked_may_be_of_no_class(malformed: bytes) -> None:
    assert classes(PROXY, head(b"http://a.example/first")).find(PROXY.prefix, malformed) is None


def test_the_class_is_the_same_for_all_of_its_requests() -> None:
    known = classes(PROXY, head(b"http://a.example/first"))
    second, third = (known.find(PROXY.prefix, head(b"http://a.example" + path)) for path in (b"/2", b"/3"))
    assert second
    assert third
    assert second[0] is third[0]


@pytest.mark.parametrize("target", [b"http://a.example", b"http://a.example/%41", b"http://a.example/\xe9"])
def test_a_target_that_is_not_in_its_normal_form_makes_no_class(target: bytes) -> None:
    first = head(target)
    assert RequestClasses().learn(PROXY.prefix, first, PROXY.request(parse(first))) is None


def test_the_number_of_classes_is_limited() -> None:
    first = head(b"http://a.example/first")
    known = classes(PROXY, first)
    for number in range(MAX_CLASSES):
        other = head(b"http://a.example/", rest=b"HTTP/1.1\r\nHost: a.example\r\nX-Number: %d\r\n\r\n" % number)
        known.learn(PROXY.prefix, other, PROXY.request(parse(other)))
    assert not known.find(PROXY.prefix, first)
