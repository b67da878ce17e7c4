"""mitmproxy's own options do the same with the cache as without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import LARGE, EchoOrigin
from tests.programs.mitmproxy_differences import assert_only_known_differences
from tests.programs.mitmproxy_runs import TRAFFIC, Ask, Lines, Mitmdump, Seen, play


@dataclass(frozen=True)
class Case:
    """Options of mitmdump, and what shows that they had an effect."""

    name: str
    options: tuple[str, ...]
    shows: Callable[[Seen], object]
    traffic: tuple[Ask, ...] = TRAFFIC


def _set(*settings: str) -> tuple[str, ...]:
    return tuple(part for setting in settings for part in ("--set", setting))


def _hits(seen: Seen) -> int:
    return sum(got.status == 203 for got in seen.client)


def _origin_saw(name: str, value: str) -> Callable[[Seen], object]:
    line = name.lower(), value
    return lambda seen: any(line in _lower(request.fields) for request in seen.origin)


def _lower(fields: Lines) -> Lines:
    return tuple((name.lower(), value) for name, value in fields)


def _client_got(content: bytes) -> Callable[[Seen], object]:
    return lambda seen: any(content in got.content for got in seen.client)


AUTHENTICATED = tuple(Ask("/text", fields=(("Proxy-Authorization", "Basic bWU6c2VjcmV0"),)) for _ in range(2))

CASES = (
    Case("no option", (), lambda seen: _hits(seen) >= 2),
    Case("map_local", ("--map-local", "|/text|{folder}/local.txt"), _client_got(b"from a file")),
    Case("map_remote", ("--map-remote", "|/text|/other"), lambda seen: all(r.target != "/text" for r in seen.origin)),
    Case("modify_headers of requests", ("--modify-headers", "/~q/X-Added/yes"), _origin_saw("X-Added", "yes")),
    Case(
        "modify_headers of responses",
        ("--modify-headers", "/~s/X-Added/yes"),
        lambda seen: all(("X-Added", "yes") in got.fields for got in seen.client),
    ),
    Case("modify_body", ("--modify-body", "/~s/hello/HELLO"), _client_got(b"HELLO, this is text")),
    Case(
        "modify_body of a large body",
        ("--modify-body", "/~s/large/LARGE"),
        _client_got(LARGE.replace(b"large", b"LARGE")),
    ),
    Case("modify_body of a request", ("--modify-body", "/~q/a=1/a=2"), _client_got(b"received a=2")),
    Case("block_list", _set("block_list=/~u text/404"), lambda seen: seen.client[1].status == 404),
    Case("anticache", ("--anticache",), lambda seen: not _origin_saw("If-None-Match", '"none"')(seen)),
    Case("anticomp", ("--anticomp",), _client_got(b"hello, this is coded")),
    Case("stickycookie", ("--set", "stickycookie=.*"), _origin_saw("Cookie", "taste=sweet")),
    Case(
        "stickyauth",
        ("--set", "stickyauth=.*"),
        lambda seen: all(
            ("authorization", "Basic eDp5") in _lower(r.fields) for r in seen.origin if r.target == "/missing"
        ),
    ),
    Case("proxyauth, without credentials", _set("proxyauth=me:secret"), lambda seen: not seen.origin),
    Case("proxyauth", _set("proxyauth=me:secret"), lambda seen: seen.origin, AUTHENTICATED),
    Case(
        "stream_large_bodies",
        _set("stream_large_bodies=1k"),
        lambda seen: any(flow.content is None for flow in seen.flows),
        (Ask("/large"), Ask("/text"), Ask("/chunked")),
    ),
    Case(
        "store_streamed_bodies",
        _set("stream_large_bodies=1k", "store_streamed_bodies=true"),
        lambda seen: any(flow.content == LARGE for flow in seen.flows),
    ),
    Case(
        "body_size_limit",
        _set("body_size_limit=10k"),
        lambda seen: any(flow.error for flow in seen.flows),
        (Ask("/text"), Ask("/large"), Ask("/large")),
    ),
    Case("allow_hosts", _set("allow_hosts=elsewhere"), lambda seen: True),
    Case("connection_strategy", _set("connection_strategy=lazy"), lambda seen: _hits(seen) >= 2),
    Case("upstream_cert", _set("upstream_cert=false"), lambda seen: _hits(seen) >= 2),
    Case("http2", _set("http2=false"), lambda seen: _hits(seen) >= 2),
    Case("rawtcp and websocket", _set("rawtcp=false", "websocket=false"), lambda seen: _hits(seen) >= 2),
    Case("validate_inbound_headers", _set("validate_inbound_headers=false"), lambda seen: _hits(seen) >= 2),
    Case("normalize_outbound_headers", _set("normalize_outbound_headers=false"), lambda seen: _hits(seen) >= 2),
    Case("save_stream_filter", _set("save_stream_filter=~u text"), lambda seen: len(seen.flows) == 3),
    Case("showhost", ("--showhost",), lambda seen: _hits(seen) >= 2),
    Case("proxy_debug", _set("proxy_debug=true"), lambda seen: _hits(seen) >= 2),
    Case("keep_host_header", _set("keep_host_header=true"), lambda seen: _hits(seen) >= 2),
    Case("intercept of nothing", _set("view_filter=~u nothing"), lambda seen: _hits(seen) >= 2),
)


@pytest.fixture(params=["http", "https"], scope="module")
def echo(request: pytest.FixtureRequest, ca: ThrowawayCA) -> Iterator[EchoOrigin]:
    with EchoOrigin(ca.server_context("localhost") if request.param == "https" else None) as echo:
        yield echo


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_an_option_does_the_same_with_the_cache(case: Case, echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path) -> None:
    (tmp_path / "local.txt").write_text("from a file")
    options = tuple(option.format(folder=tmp_path) if "{folder}" in option else option for option in case.options)

    with Mitmdump(tmp_path / "without", ca.file, options, cached=False) as mitmdump:
        without = play(mitmdump, echo, case.traffic)
    with Mitmdump(tmp_path / "cached", ca.file, options, cached=True) as mitmdump:
        cached = play(mitmdump, echo, case.traffic)

    assert_only_known_differences(without, cached, contents="streamed" not in case.name)
    assert case.shows(cached)
