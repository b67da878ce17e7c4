"""The latest exchanges with clients: how many are kept, and what is told of those after a number."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from addon.runtime.access_log.logged_response import LoggedResponse, Sending, request_line
from addon.runtime.recent_exchanges import MAX_KEPT, MAX_URL, RecentExchange, RecentExchanges
from cache.answer.cache_status import Handling
from cache.http.messages import Request
from cache.policy.reasons import Forwarded, NotStored

OWN = str(os.getpid())


def told(recent: RecentExchanges, after: int | None = None) -> Any:
    arguments: dict[str, object] = {} if after is None else {"after": {OWN: after, "1": 5}}
    return asyncio.run(recent.handle(arguments))


def exchange(number: int) -> RecentExchange:
    return RecentExchange(
        float(number),
        "192.0.2.1",
        method="GET",
        url=f"http://a.example/{number}",
        status=200,
        size=1,
        seconds=0.5,
        decision="hit",
        reason="",
        site="",
    )


def test_the_latest_ones_are_kept_and_those_after_a_number_are_told() -> None:
    recent = RecentExchanges()
    assert told(recent) == {"exchanges": [], "lost": 0, "last": {OWN: 0}}
    for number in range(1, 4):
        recent.add(exchange(number))
    assert [each["at"] for each in told(recent)["exchanges"]] == [1.0, 2.0, 3.0]
    assert [each["at"] for each in told(recent, after=2)["exchanges"]] == [3.0]
    assert told(recent, after=3) == {"exchanges": [], "lost": 0, "last": {OWN: 3}}
    assert told(recent, after=99)["exchanges"] == []


def test_a_reader_that_comes_too_late_is_told_how_many_it_has_missed() -> None:
    recent = RecentExchanges()
    for number in range(1, MAX_KEPT + 11):
        recent.add(exchange(number))
    late = told(recent, after=3)
    assert late["lost"] == 7
    assert [late["exchanges"][0]["at"], len(late["exchanges"])] == [11.0, MAX_KEPT]
    assert told(recent)["lost"] == 0


def test_what_is_kept_of_a_response() -> None:
    recent = RecentExchanges()
    request = Request("GET", "http", "a.example", 80, f"/{'x' * MAX_URL}")
    missed = Handling(fwd=Forwarded.URI_MISS, not_stored=NotStored.NO_STORE)
    recent.note(LoggedResponse(200, 7, request, handling=missed), Sending(5.0, "192.0.2.1", 0.25), "site")
    recent.note(
        LoggedResponse(200, 0, line=request_line("CONNECT", "b.example:443", "HTTP/1.1"), is_tunnel=True),
        Sending(6.0, "192.0.2.1"),
    )
    recent.note(LoggedResponse(400, 3, refused="malformed-request"), Sending(7.0, "192.0.2.1"))
    first, tunnel, malformed = told(recent)["exchanges"]
    assert first == {
        "at": 5.0,
        "client": "192.0.2.1",
        "method": "GET",
        "url": f"http://a.example/{'x' * MAX_URL}"[:MAX_URL],
        "status": 200,
        "size": 7,
        "seconds": 0.25,
        "decision": "uri-miss",
        "reason": "no-store",
        "site": "site",
        "times": 1,
    }
    assert (tunnel["method"], tunnel["url"], tunnel["decision"]) == ("CONNECT", "b.example:443", "tunnel")
    assert (malformed["method"], malformed["url"], malformed["reason"]) == ("", "", "malformed-request")
