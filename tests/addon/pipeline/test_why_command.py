"""`why` of a running proxy: its decision, status and Cache-Status are those of the next real response."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from addon.origin import FailureKind, OriginFailure
from addon.origin.reachability import MAX_FAILURES
from cache.rules.key import request_for
from tests.addon.frontend.edge import ask, run_edge
from tests.addon.frontend.front_end import (
    FrontEndUnderTest,
    client_tls,
    get,
    get_in_tunnel,
    origin_tls,
    run_at_edge,
    run_conversation,
)
from tests.fixtures.raw_origin import Peer, RawOrigin
from tests.lanes.messages import ClientResponse

FIELDS = {
    "/fresh": "Cache-Control: max-age=60",
    "/stale": 'Cache-Control: max-age=1\r\nETag: "1"',
    "/forbidden": "Cache-Control: max-age=1, must-revalidate",
    "/behind": "Cache-Control: max-age=1, stale-while-revalidate=600",
    "/no-store": "Cache-Control: no-store",
    "/vary": "Cache-Control: max-age=60\r\nVary: Accept-Language",
    "/heuristic": "Last-Modified: Mon, 23 Nov 2020 12:00:00 GMT",
}


async def pages(peer: Peer) -> None:
    """Answer requests by their path, until the client closes the connection."""
    while True:
        await peer.send(page(await peer.request()))


def page(request: bytes) -> bytes:
    """Return the response to a request by its path."""
    path = request.split(b" ")[1].decode()
    fields = FIELDS.get(path, "Cache-Control: max-age=60")
    return f"HTTP/1.1 200 OK\r\nDate: {DATE}\r\n{fields}\r\nContent-Length: 5\r\n\r\nhello".encode()


DATE = "Mon, 23 Nov 2026 12:00:00 GMT"

GO_OFFLINE = ("mode", {"mode": "offline"})
CARGO = "User-Agent: cargo/1.90.0"


@dataclass(frozen=True)
class Case:
    """The events before a request, the request, and the decision about it."""

    title: str
    decision: str
    reason: str
    path: str
    fields: tuple[str, ...] = ()
    method: str = "GET"
    fetched: bool = True
    """The path is requested once before."""
    later: float = 0.0
    """Seconds that pass then."""
    left_alone: bool = False
    """Then the origin does not answer any more."""
    commands: tuple[tuple[str, dict[str, object]], ...] = ()
    """Control commands that are sent then."""
    settings: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("online: nothing is stored", "forward", "uri-miss", "/fresh", fetched=False),
    Case("online: fresh", "hit", "fresh", "/fresh", later=10),
    Case("online: fresh by a heuristic", "hit", "heuristic", "/heuristic", later=10),
    Case("online: stale", "validate", "stale", "/stale", later=10),
    Case("online: stale, validated in the background", "hit", "stale-while-revalidate", "/behind", later=10),
    Case("online: not stored", "forward", "uri-miss", "/no-store"),
    Case("another variant", "forward", "vary-miss", "/vary", ("Accept-Language: de",)),
    Case("a reload", "forward", "request-no-cache", "/fresh", ("Cache-Control: no-cache",)),
    Case("a request that forbids storing", "forward", "request-no-store", "/fresh", ("Cache-Control: no-store",)),
    Case("max-stale", "hit", "max-stale", "/stale", ("Cache-Control: max-stale",), later=10),
    Case("a part", "hit", "fresh", "/fresh", ("Range: bytes=0-1",)),
    Case("a part outside", "hit", "fresh", "/fresh", ("Range: bytes=9-",)),
    Case("only-if-cached", "refuse", "only-if-cached", "/a", ("Cache-Control: only-if-cached",), fetched=False),
    Case("HEAD", "hit", "fresh", "/fresh", method="HEAD"),
    Case("DELETE", "forward", "method", "/fresh", method="DELETE"),
    Case("TRACE", "refuse", "trace", "/fresh", method="TRACE"),
    Case("offline: fresh", "hit", "fresh", "/fresh", later=10, commands=(GO_OFFLINE,)),
    Case("offline: stale", "hit", "offline", "/stale", later=10, commands=(GO_OFFLINE,)),
    Case("offline: stale and forbidden", "refuse", "offline", "/forbidden", later=10, commands=(GO_OFFLINE,)),
    Case("offline: nothing is stored", "refuse", "offline", "/a", fetched=False, commands=(GO_OFFLINE,)),
    Case("offline for this host", "hit", "offline", "/stale", later=10, commands=(
        ("mode", {"mode": "offline", "host": "127.0.0.1"}),)),
    Case("unreachable: stale", "hit", "offline", "/stale", later=10, left_alone=True),
    Case("unreachable: nothing is stored", "refuse", "offline", "/a", fetched=False, left_alone=True),
    Case("a recording is made", "forward", "recording", "/fresh", commands=(("record", {"name": "it"}),)),
    Case("a replay of nothing", "refuse", "replay", "/fresh", commands=(
        ("record", {"name": "it"}), ("record", {"stop": True}), ("replay", {"name": "it"}))),
    Case("200 for a client", "hit", "fresh", "/fresh", (CARGO,)),
    Case("203 for a client", "hit", "fresh", "/fresh", (CARGO,), settings={"answer": {"status": "always"}}),
    Case("200 for all", "hit", "fresh", "/fresh", settings={"answer": {"status": "origin"}}),
    Case("without Cache-Status", "hit", "fresh", "/fresh", settings={"answer": {"cache_status": False}}),
)  # fmt: skip


async def explained(front_end: FrontEndUnderTest, url: str, method: str = "GET", *lines: str) -> dict[str, Any]:
    """Return what `why` says about a request."""
    fields = [list(line.split(": ", 1)) for line in lines]
    return await front_end.service.commands["why"]({"url": url, "method": method, "fields": fields})


def check(asked: dict[str, Any], response: ClientResponse) -> None:
    """Check that the next response is as `why` has said."""
    received = response.fields.get("cache-status") or ""
    if asked["would_send"] is None:
        assert received.startswith(asked["cache_status"])
        return
    told = asked["would_send"]
    assert told["status"] == response.status
    assert asked["cache_status"] == received
    fields = {name.lower(): value for name, value in told["fields"]}
    assert fields.get("age") == response.fields.get("age")
    assert fields.get("proxy-status") == response.fields.get("proxy-status")


def leave_alone(front_end: FrontEndUnderTest, authority: str) -> None:
    """Let the origin of an authority be one that does not answer."""
    service, request = front_end.service, request_for(f"http://{authority}/")
    failure = OriginFailure(FailureKind.CONNECTION_TIMEOUT, "No answer.", disconnected=True)
    for _ in range(MAX_FAILURES):
        service.reachability.failed(request, failure, service.clock())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_the_next_response_is_as_why_says(case: Case, tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.client()
        if case.fetched:
            await client.fetch(get(origin, case.path))
        front_end.clock.advance(case.later)
        if case.left_alone:
            leave_alone(front_end, f"127.0.0.1:{origin.port}")
        for command, arguments in case.commands:
            await front_end.service.commands[command](arguments)
        url = f"http://127.0.0.1:{origin.port}{case.path}"
        before = front_end.service.counters.snapshot()
        for _ in range(2):  # a question changes nothing
            asked = await explained(front_end, url, case.method, *case.fields)
        assert front_end.service.counters.snapshot() == before
        assert (asked["decision"], asked["reason"]) == (case.decision, case.reason)
        check(asked, await client.fetch(get(origin, case.path, *case.fields, method=case.method)))

    run_conversation(conversation, pages, recordings={"path": str(tmp_path)}, **case.settings)


@pytest.mark.parametrize(
    ("path", "fetched", "status", "sentence"),
    [
        (
            "/stale",
            True,
            203,
            "203 from the copy, until Tue, 24 Nov 2026 12:00:01 GMT: stale, but the origin cannot be",
        ),
        ("/forbidden", True, 504, "504: the origin sent no response, and its copy must not be used unvalidated"),
        ("/a", False, 502, "502, or 504 after a timeout: the origin sent no response, and no stored response may be"),
    ],
)
def test_the_response_if_the_origin_does_not_answer(path: str, fetched: bool, status: int, sentence: str) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, why = await front_end.client(), partial(explained, front_end, f"http://127.0.0.1:{origin.port}{path}")
        if fetched:
            await client.fetch(get(origin, path))
        front_end.clock.advance(10)
        asked = await why()
        assert asked["if_no_answer"].startswith(sentence)
        assert "origin" not in [step["subject"] for step in asked["steps"]]
        await origin.stop()
        response = await client.fetch(get(origin, path))
        assert response.status == status
        front_end.clock.advance(2)
        asked = await why()
        assert asked["if_no_answer"].startswith(f"{status}")
        [failed] = [step["finding"] for step in asked["steps"] if step["subject"] == "origin"]
        assert failed.startswith("the latest exchange with it failed 2 s ago: ")
        assert str(origin.port) in failed

    run_conversation(conversation, pages)


def test_a_replay_and_its_copies() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        commands = front_end.service.commands
        client = await front_end.client()
        await commands["record"]({"name": "it"})
        await client.fetch(get(origin, "/no-store"))
        await commands["record"]({"stop": True})
        await commands["replay"]({"name": "it"})
        front_end.clock.advance(1000)
        asked = await explained(front_end, f"http://127.0.0.1:{origin.port}/no-store")
        assert (asked["decision"], asked["reason"]) == ("hit", "replay")
        check(asked, await client.fetch(get(origin, "/no-store")))

    run_conversation(conversation, pages)


def test_https_and_a_host_field_for_another_origin() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await front_end.tunnel(f"127.0.0.1:{origin.port}", client_tls())
        await client.fetch(get_in_tunnel(origin, "/fresh"))
        url = f"https://127.0.0.1:{origin.port}/fresh"
        asked = await explained(front_end, url)
        assert asked["decision"] == "hit"
        check(asked, await client.fetch(get_in_tunnel(origin, "/fresh")))
        asked = await explained(front_end, url, "GET", "Host: other.example")
        assert (asked["decision"], asked["reason"]) == ("forward", "host-mismatch")

    run_conversation(conversation, pages, secure=origin_tls())


def test_a_host_whose_tunnels_are_passed_through() -> None:
    async def conversation(front_end: FrontEndUnderTest, _: RawOrigin) -> None:
        asked = await explained(front_end, "https://bank.example/")
        assert (asked["decision"], asked["reason"], asked["cache_status"]) == ("forward", "bypass", "")
        assert "tls.leave_alone" in asked["steps"][0]["finding"]
        assert (await explained(front_end, "http://bank.example/"))["reason"] == "uri-miss"

    run_conversation(conversation, pages, tls={"leave_alone": ["bank.example"]})


def test_an_edge_by_the_address_of_the_proxy_and_by_a_name() -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        client = await edge.client()
        for authority in (f"127.0.0.1:{edge.address[1]}", "public.example"):
            await client.fetch(ask(authority, "/fresh"))
            edge.clock.advance(5)
            asked = await explained(edge, f"http://{authority}/fresh", "GET", "Cache-Control: no-cache")
            assert (asked["decision"], asked["reason"]) == ("hit", "fresh")  # an edge ignores a reload
            check(asked, await client.fetch(ask(authority, "/fresh", "Cache-Control: no-cache")))

    run_at_edge(conversation, pages)


RULES = [
    {"path": "/old/*", "redirect": {"to": "/new{path}"}},
    {"path": "/through/*", "bypass": True},
    {"path": "/read/*", "methods": ["GET"]},
    {"path": "/few/*", "limits": {"requests": {"rate": "1/h"}}},
    {"path": "/no-store", "override": ["no-store"], "ttl": "1h"},
]


@pytest.mark.parametrize(
    ("host", "path", "method", "reason"),
    [
        ("a.example", "/fresh", "GET", "fresh"),
        ("a.example", "/no-store", "GET", "rule"),
        ("a.example", "/old/page", "GET", "redirect"),
        ("a.example", "/through/it", "GET", "bypass-rule"),
        ("a.example", "/read/it", "POST", "method-not-allowed"),
        ("a.example", "/few/first", "GET", "uri-miss"),
        ("b.example", "/fresh", "GET", "unknown-host"),
    ],
)
def test_a_site_and_its_rules(host: str, path: str, method: str, reason: str) -> None:
    async def conversation(edge: FrontEndUnderTest, origins: list[RawOrigin]) -> None:
        client = await edge.client()
        if reason in ("fresh", "rule"):
            await client.fetch(ask(host, path, method=method))
        for _ in range(2):
            asked = await explained(edge, f"http://{host}{path}", method)
        assert asked["reason"] == reason
        check(
            asked,
            await client.fetch(ask(host, path, *(["Content-Length: 0"] if method == "POST" else []), method=method)),
        )

    def sites(urls: list[str]) -> list[dict[str, Any]]:
        return [{"hosts": ["a.example"], "origins": [{"url": urls[0]}], "rules": RULES}]

    run_edge(conversation, sites, pages)


def test_the_reason_for_not_storing_is_remembered_until_a_response_is_stored() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, url = await front_end.client(), f"http://127.0.0.1:{origin.port}/no-store"
        why = partial(explained, front_end, url)
        assert (await why())["not_stored"] is None
        await client.fetch(get(origin, "/no-store"))
        front_end.clock.advance(12)
        note = (await why())["not_stored"]
        assert (note["reason"], note["source"], note["seconds_ago"]) == ("no-store", "RFC 9111 §5.2.2.5", 12)
        assert note["remedy"].startswith("the origin leaves out no-store")

    run_conversation(conversation, pages)


def test_the_size_of_a_response_that_was_too_large_is_told() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        client, url = await front_end.client(), f"http://127.0.0.1:{origin.port}/fresh"
        await client.fetch(get(origin, "/fresh"))
        asked = await explained(front_end, url)
        assert asked["not_stored"]["reason"] == "too-large"
        assert f"The last response to {url} was too large to keep: its content has 5 B" in asked["too_large"]

    run_conversation(conversation, pages, store={"max_object": 4})
