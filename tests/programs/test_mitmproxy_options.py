"""mitmproxy's own options do the same with the cache as without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.throwaway_ca import ThrowawayCA
from tests.programs.echo_origin import LARGE, EchoOrigin
from tests.programs.mitmproxy_cases import (
    Case,
    client_got,
    compare,
    lowered,
    origin_saw,
    settings,
    some_hits,
)
from tests.programs.mitmproxy_runs import Ask, Mitmdump, play

AUTHENTICATED = tuple(Ask("/text", fields=(("Proxy-Authorization", "Basic bWU6c2VjcmV0"),)) for _ in range(2))

CASES = (
    Case("no option", (), some_hits),
    Case("map_local", ("--map-local", "|/text|{folder}/local.txt"), client_got(b"from a file")),
    Case("map_remote", ("--map-remote", "|/text|/other"), lambda seen: all(r.target != "/text" for r in seen.origin)),
    Case("modify_headers of requests", ("--modify-headers", "/~q/X-Added/yes"), origin_saw("X-Added", "yes")),
    Case(
        "modify_headers of responses",
        ("--modify-headers", "/~s/X-Added/yes"),
        lambda seen: all(("X-Added", "yes") in got.fields for got in seen.client),
    ),
    Case("modify_body", ("--modify-body", "/~s/hello/HELLO"), client_got(b"HELLO, this is text")),
    Case(
        "modify_body of a large body",
        ("--modify-body", "/~s/large/LARGE"),
        client_got(LARGE.replace(b"large", b"LARGE")),
    ),
    Case("modify_body of a request", ("--modify-body", "/~q/a=1/a=2"), client_got(b"received a=2")),
    Case("block_list", settings("block_list=/~u text/404"), lambda seen: seen.client[1].status == 404),
    Case("anticache", ("--anticache",), lambda seen: not origin_saw("If-None-Match", '"none"')(seen)),
    Case("anticomp", ("--anticomp",), client_got(b"hello, this is coded")),
    Case("stickycookie", ("--set", "stickycookie=.*"), origin_saw("Cookie", "taste=sweet")),
    Case(
        "stickyauth",
        ("--set", "stickyauth=.*"),
        lambda seen: all(
            ("authorization", "Basic eDp5") in lowered(r.fields) for r in seen.origin if r.target == "/missing"
        ),
    ),
    Case("proxyauth, without credentials", settings("proxyauth=me:secret"), lambda seen: not seen.origin),
    Case("proxyauth", settings("proxyauth=me:secret"), lambda seen: seen.origin, AUTHENTICATED),
    Case(
        "stream_large_bodies",
        settings("stream_large_bodies=1k"),
        lambda seen: any(flow.content is None for flow in seen.flows),
        (Ask("/large"), Ask("/text"), Ask("/chunked")),
    ),
    Case(
        "store_streamed_bodies",
        settings("stream_large_bodies=1k", "store_streamed_bodies=true"),
        lambda seen: any(flow.content == LARGE for flow in seen.flows),
    ),
    Case(
        "body_size_limit",
        settings("body_size_limit=10k"),
        lambda seen: any(flow.error for flow in seen.flows),
        (Ask("/text"), Ask("/large"), Ask("/large")),
    ),
    Case("allow_hosts", settings("allow_hosts=elsewhere"), lambda seen: True),
    Case("connection_strategy", settings("connection_strategy=lazy"), some_hits),
    Case("upstream_cert", settings("upstream_cert=false"), some_hits),
    Case("http2", settings("http2=false"), some_hits),
    Case("rawtcp and websocket", settings("rawtcp=false", "websocket=false"), some_hits),
    Case("validate_inbound_headers", settings("validate_inbound_headers=false"), some_hits),
    Case("normalize_outbound_headers", settings("normalize_outbound_headers=false"), some_hits),
    Case("save_stream_filter", settings("save_stream_filter=~u text"), lambda seen: len(seen.flows) == 3),
    Case("showhost", ("--showhost",), some_hits),
    Case("proxy_debug", settings("proxy_debug=true"), some_hits),
    Case("keep_host_header", settings("keep_host_header=true"), some_hits),
    Case("intercept of nothing", settings("view_filter=~u nothing"), some_hits),
)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_an_option_does_the_same_with_the_cache(case: Case, echo: EchoOrigin, ca: ThrowawayCA, tmp_path: Path) -> None:
    (tmp_path / "local.txt").write_text("from a file")
    compare(case, echo, ca, tmp_path)


def test_content_that_mitmproxy_begins_to_stream_late_is_not_said_to_be_stored(ca: ThrowawayCA, tmp_path: Path) -> None:
    """Its length is unknown, so mitmproxy has passed on a part of it before it streams the rest."""
    options = settings("stream_large_bodies=5")
    with EchoOrigin() as echo, Mitmdump(tmp_path / "run", ca.file, options, cached=True) as mitmdump:
        seen = play(mitmdump, echo, (Ask("/chunked"), Ask("/chunked")))

    assert [dict(got.fields)["Cache-Status"] for got in seen.client] == ["secondhand; fwd=uri-miss"] * 2
    assert [flow.comment for flow in seen.flows] == ["miss: incomplete"] * 2
