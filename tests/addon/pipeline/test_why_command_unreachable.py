"""`why` of a running proxy about an origin whose latest exchange has failed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from addon.origin import FailureKind
from addon.origin.reachability import MAX_FAILURES
from tests.addon.frontend.front_end import FrontEndUnderTest, get, request_head, run_at_edge, run_conversation
from tests.addon.pipeline.test_why_command import check, explained, leave_alone, page, pages
from tests.fixtures.raw_origin import LONGER_TIMEOUT, OK, Peer, RawOrigin


@dataclass(frozen=True)
class Case:
    """A request for an origin that does not answer any more, and the decision about it."""

    title: str
    decision: str
    reason: str
    path: str
    status: int
    fields: tuple[str, ...] = ()
    method: str = "GET"
    failures: int = MAX_FAILURES
    """The requests that have failed. After MAX_FAILURES without an answer, an origin is left alone."""
    later: float = 0.0
    """Seconds that pass after the latest failure."""


REFUSING = (
    Case("a stale copy", "hit", "disconnected", "/stale", 203),
    Case("a stale copy, for HEAD", "hit", "disconnected", "/stale", 203, method="HEAD"),
    Case("a fresh copy", "hit", "fresh", "/fresh", 203),
    Case("a stale copy that must be validated", "refuse", "stale-forbidden", "/forbidden", 504),
    Case("another variant", "refuse", "fetch-failed", "/vary", 502, ("Accept-Language: de",)),
    Case("no copy", "refuse", "fetch-failed", "/a", 502),
    Case("no copy, for DELETE", "refuse", "fetch-failed", "/a", 502, method="DELETE"),
)
A_RELOAD = Case("a reload", "hit", "disconnected", "/fresh", 203, ("Cache-Control: no-cache",))
"""An edge ignores it."""
HANGING = (
    Case("a stale copy, once", "hit", "disconnected", "/stale", 203, failures=1),
    Case("no copy, once", "refuse", "fetch-failed", "/a", 504, failures=1),
    Case("a stale copy, left alone", "hit", "offline", "/stale", 203),
    Case("no copy, left alone", "refuse", "offline", "/a", 504),
    Case("a stale copy, as a trial", "hit", "disconnected", "/stale", 203, later=2),
    Case("no copy, as a trial", "refuse", "offline", "/a", 504, later=2),
)
COPIES = ("/stale", "/fresh", "/forbidden", "/vary")


class Pages:
    """The script of an origin that answers until it hangs."""

    hangs = False

    async def __call__(self, peer: Peer) -> None:
        while True:
            request = await peer.request()
            if self.hangs:
                await peer.closed_after_data()
                return
            await peer.send(page(request))


async def check_next_response(front_end: FrontEndUnderTest, authority: str, case: Case, *, edge: bool) -> None:
    """Let requests fail, and compare what `why` says with the next response."""

    def request(path: str, *fields: str, method: str = "GET") -> bytes:
        target = path if edge else f"http://{authority}{path}"
        return request_head(f"{method} {target} HTTP/1.1", f"Host: {authority}", *fields)

    for number in range(case.failures):
        await (await front_end.client()).fetch(request(f"/failed/{number}"))
    front_end.clock.advance(case.later)
    asked = await explained(front_end, f"http://{authority}{case.path}", case.method, *case.fields)
    client = await front_end.client()
    client.send(request(case.path, *case.fields, method=case.method))
    response = await client.response(case.method)
    assert (asked["decision"], asked["reason"], response.status) == (case.decision, case.reason, case.status)
    check(asked, response)


async def store_copies(front_end: FrontEndUnderTest, authority: str, *, edge: bool) -> None:
    """Let all copies be stored, and some of them become stale."""
    client = await front_end.client()
    for path in COPIES:
        target = path if edge else f"http://{authority}{path}"
        await client.fetch(request_head(f"GET {target} HTTP/1.1", f"Host: {authority}"))
    front_end.clock.advance(10)


@pytest.mark.parametrize("kind", ["memory", "disk"])
@pytest.mark.parametrize("case", [*REFUSING, A_RELOAD], ids=lambda case: case.title)
def test_an_origin_that_refuses_connections(case: Case, kind: str, tmp_path: Path) -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        await store_copies(front_end, authority, edge=False)
        await origin.stop()
        await check_next_response(front_end, authority, case, edge=False)

    store: dict[str, Any] = {"kind": kind, "path": str(tmp_path)}
    run_conversation(conversation, pages, store=store)


@pytest.mark.parametrize("case", REFUSING, ids=lambda case: case.title)
def test_the_origin_of_an_edge_that_refuses_connections(case: Case) -> None:
    async def conversation(edge: FrontEndUnderTest, origin: RawOrigin) -> None:
        await store_copies(edge, "public.example", edge=True)
        await origin.stop()
        await check_next_response(edge, "public.example", case, edge=True)

    run_at_edge(conversation, pages)


@pytest.mark.parametrize("case", HANGING, ids=lambda case: case.title)
def test_an_origin_that_hangs(case: Case) -> None:
    origin_script = Pages()

    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        authority = f"127.0.0.1:{origin.port}"
        await store_copies(front_end, authority, edge=False)
        origin_script.hangs = True
        await check_next_response(front_end, authority, case, edge=False)

    run_conversation(conversation, origin_script, origin={"first_byte_timeout": LONGER_TIMEOUT})


async def garbage_at_one_path(peer: Peer) -> None:
    """Answer requests; one path gets what is no response."""
    while True:
        path = (await peer.request()).split(b" ")[1]
        await peer.send(b"garbage\r\n\r\n" if path == b"/broken" else OK)
        if path == b"/broken":
            await peer.close()
            return


def test_a_broken_response_says_nothing_about_other_urls() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        request = get(origin, "/broken")
        await (await front_end.client()).fetch(request)
        [failure] = front_end.service.reachability.failing.values()
        assert failure.error == FailureKind.HTTP_PROTOCOL_ERROR
        asked = await explained(front_end, f"http://127.0.0.1:{origin.port}/whole")
        assert (asked["decision"], asked["would_send"]) == ("forward", None)
        asked = await explained(front_end, f"http://127.0.0.1:{origin.port}/broken")
        assert (asked["decision"], asked["would_send"]["status"]) == ("refuse", 502)

    run_conversation(conversation, garbage_at_one_path)


def test_the_origin_that_answers_again_is_expected_to_answer() -> None:
    async def conversation(front_end: FrontEndUnderTest, origin: RawOrigin) -> None:
        url = f"http://127.0.0.1:{origin.port}/a"
        leave_alone(front_end, f"127.0.0.1:{origin.port}")
        front_end.clock.advance(2)
        assert (await explained(front_end, url))["decision"] == "refuse"
        await (await front_end.client()).fetch(get(origin, "/no-store"))
        assert (await explained(front_end, url))["decision"] == "forward"

    run_conversation(conversation, pages)
